/**
 * Rows: reductions, and what follows from them, going along each row as often as it takes.
 *
 * A *row* is all that a reduction runs over for one of its results. What depends on a reduction of the row (the
 * normalised value, the softmax) is computed in a later sweep by whoever goes along it, so that a softmax, a norm or a
 * loss is one kernel: each sweep reads the row again, nothing in between is stored.
 *
 * The compiler splits reductions to few rows in two, so that there are enough invocations (see `compiler/split.ts`).
 */
import { assert, present } from "../../../base/assert.ts";
import { add, and, equal, i32, multiply } from "../../lang/build.ts";
import { invocationOf, laneOf, workgroupOf } from "../../lang/expr.ts";
import type { Expr, SharedArray, Statement } from "../../lang/kernel.ts";
import { assign, varIn, when } from "../../lang/statements.ts";
import { VECTOR } from "../../lang/vector-access.ts";
import { combine, identityOf } from "../accumulate.ts";
import { unflatten, type Grid, type Index, type Loops } from "../grid.ts";
import { alongAlone, alongApart, alongTogether, inColumns, type Step, type Sums } from "./along-row.ts";
import { exprAt, placesOf, storesAt, type Places } from "./copies.ts";
import { rowScheduleName, type RowSchedule } from "./row-schedule.ts";
import {
  isFloatSum,
  lastAxisOf,
  rowCount,
  rowShapeOf,
  type RowReduction,
  type RowSpace,
  type Sweep,
} from "./row-space.ts";
import { named, teamOf, type Team } from "./teams.ts";

/**
 * Rows with all sweeps, one after another. Indices have an entry an axis of the space's shape. `kept` are arrays of the
 * workgroup, the first ones, that sweeps keep values of a row in: for schedules of a row a workgroup.
 */
export function rows(
  space: RowSpace,
  sweeps: readonly Sweep[],
  schedule: RowSchedule,
  loops: Loops,
  kept: readonly SharedArray[] = [],
): Grid {
  if (schedule.kind === "subgroups" || schedule.kind === "workgroup") {
    return new Together(space, schedule, loops).grid(sweeps, kept);
  }
  assert(kept.length === 0, `rows: expected nothing to keep in ${rowScheduleName(schedule)}`);
  return new Alone(space, schedule, loops).grid(sweeps);
}

/** By reduction, then by row. */
type Totals = readonly (readonly Expr[])[];

/** What both ways have in common: totals, and steps of several columns. */
class Along {
  protected readonly space: RowSpace;
  protected readonly loops: Loops;
  /** The space in steps. */
  protected readonly steps: RowSpace;
  readonly #columns: number;
  readonly #axis: number | undefined;

  constructor(space: RowSpace, columns: number, loops: Loops) {
    this.space = space;
    this.loops = loops;
    this.#columns = columns;
    this.#axis = lastAxisOf(space, true);
    this.steps = inColumns(space, columns, this.#axis);
    const size = space.shape[this.#axis ?? 0] ?? 1;
    assert(columns === 1 || size % columns === 0, `rows: expected a multiple of ${columns} columns, found ${size}`);
  }

  /** Variables for totals, `rowsEach` of each. */
  protected totalsOf(
    reductions: readonly RowReduction[],
    rowsEach: number,
  ): { statements: Statement[]; totals: Totals } {
    const variables = reductions.map(({ fn, type }) =>
      Array.from({ length: rowsEach }, () => varIn(this.loops.names, "total", identityOf(fn, type))),
    );
    return {
      statements: variables.flat().map(({ statement }) => statement),
      totals: variables.map((own) => own.map(({ use }) => use)),
    };
  }

  protected sumsOf(reductions: readonly RowReduction[], totals: Totals): Sums<Totals> {
    return {
      totals,
      areLong: reductions.some(isFloatSum),
      inPart: (whole, inside) => {
        const before: Statement[] = [];
        const after: Statement[] = [];
        const parts = whole.map((own, i) => {
          const reduction = present(reductions[i], "rows: a reduction");
          if (!isFloatSum(reduction)) return own;
          return own.map((total) => {
            const part = varIn(this.loops.names, "part", identityOf(reduction.fn, reduction.type));
            before.push(part.statement);
            after.push(assign(total, combine(reduction.fn, total, part.use)));
            return part.use;
          });
        });
        return [...before, ...inside(parts), ...after];
      },
    };
  }

  /** What is done at a step, for each of the rows. */
  protected stepOf(sweep: Sweep, rowPlaces: readonly Places[]): Step<Totals> {
    return (index, totals, parts = [new Map()]) => {
      const { at, places: columns } = this.#columnsAt(index);
      const places = columns.flatMap((column) => parts.map((part) => placesOf(column, part)));
      const sums = sweep.reductions.flatMap(({ fn, operand }, i) => {
        const value = operand(at);
        return (totals[i] ?? []).map((total, row) => {
          const all = places.map((column) => exprAt(value, placesOf(rowPlaces[row] ?? new Map(), column)));
          return assign(
            total,
            combine(
              fn,
              total,
              inPairs(all, (a, b) => combine(fn, a, b)),
            ),
          );
        });
      });
      const stores = sweep.element(at);
      const copies = rowPlaces.flatMap((row) => places.flatMap((column) => storesAt(stores, placesOf(row, column))));
      return [...sums, ...copies];
    };
  }

  /** The index of a step's columns, over a variable for their place, and what that stands for in each. */
  #columnsAt(index: Index): { at: Index; places: readonly Places[] } {
    const axis = this.#axis;
    if (this.#columns === 1 || axis === undefined) return { at: index, places: [new Map()] };
    const step = present(index[axis], "rows: a place along the row");
    const column = this.loops.standIn("column", (this.space.shape[axis] ?? 1) - 1);
    const first = multiply(step, i32(this.#columns));
    const places = Array.from({ length: this.#columns }, (_, i) => new Map([[column.name, add(first, i32(i))]]));
    return { at: index.map((at, i) => (i === axis ? column : at)), places };
  }
}

/** One invocation for each row, or for some rows. */
class Alone extends Along {
  readonly #rows: number;
  /** Neighbouring rows are those of so many lanes. */
  readonly #lanes: number;

  constructor(space: RowSpace, schedule: RowSchedule & { kind: "invocation" | "vectors" }, loops: Loops) {
    super(space, schedule.kind === "invocation" ? schedule.columns : 1, loops);
    this.#rows = schedule.rows;
    this.#lanes = schedule.kind === "vectors" ? VECTOR : 1;
  }

  grid(sweeps: readonly Sweep[]): Grid {
    const invocations = rowCount(this.space) / this.#rows;
    const { row, places } = this.#rowsOf(invocations);
    const body = sweeps.flatMap((sweep) => this.#sweep(sweep, row, places));
    return this.#lanes === 1
      ? { invocations, body }
      : { invocations, workgroup: { lanes: this.#lanes, shared: [] }, body };
  }

  /** The index of an invocation's rows, over a variable for their place, and what that stands for in each. */
  #rowsOf(invocations: number): { row: Index; places: Map<string, Expr>[] } {
    const shape = rowShapeOf(this.space);
    const axis = lastAxisOf(this.space, false);
    const [rows, lanes] = [this.#rows, this.#lanes];
    if (rows === 1 && lanes === 1) return { row: unflatten(invocationOf(invocations), shape), places: [new Map()] };
    const size = shape[axis ?? 0] ?? 1;
    const fits = axis !== undefined && size % (rows * lanes) === 0;
    assert(fits, `rows: expected a multiple of ${rows * lanes} neighbouring rows, found ${size}`);
    const group = lanes === 1 ? invocationOf(invocations) : workgroupOf(invocations / lanes);
    const first = unflatten(group, shape.map((size, i) => (i === axis ? size / (rows * lanes) : size))); // prettier-ignore
    const place = this.loops.standIn("row", size - 1);
    const from = multiply(present(first[axis], "rows: a place across rows"), i32(rows * lanes));
    const own = lanes === 1 ? i32(0) : laneOf(lanes);
    const places = Array.from({ length: rows }, (_, i) => {
      return new Map([[place.name, add(from, add(i32(i * lanes), own))]]);
    });
    return { row: first.map((at, i) => (i === axis ? place : at)), places };
  }

  #sweep(sweep: Sweep, row: Index, places: readonly Map<string, Expr>[]): readonly Statement[] {
    const { reductions } = sweep;
    const { statements, totals } = this.totalsOf(reductions, this.#rows);
    const step = this.stepOf(sweep, places);
    const along = alongAlone(this.steps, row, this.sumsOf(reductions, totals), step, this.loops);
    const copies = totals.map((own) => named(own, this.loops));
    const results = copies.map(({ results: own }, i) => this.#resultOf(own, reductions[i], places));
    const stores = sweep.finish(row, results);
    return [
      ...statements,
      ...along,
      ...copies.flatMap((copy) => copy.statements),
      ...places.flatMap((place) => storesAt(stores, place)),
    ];
  }

  /** The result of a row; of several, a variable that stands for it. */
  #resultOf(own: readonly Expr[], reduction: RowReduction | undefined, places: readonly Map<string, Expr>[]): Expr {
    const [first] = own;
    assert(first !== undefined && reduction !== undefined, "rows: expected a result");
    if (own.length === 1) return first;
    const result = this.loops.standIn("each", undefined, reduction.type);
    for (const [i, place] of places.entries()) place.set(result.name, present(own[i], "rows: the result of a row"));
    return result;
  }
}

/** The lanes of a team for each row. */
class Together extends Along {
  readonly #team: Team;
  /** Steps of a lane in a turn, which lie apart. */
  readonly #apart: number;

  constructor(space: RowSpace, schedule: RowSchedule & { kind: "subgroups" | "workgroup" }, loops: Loops) {
    const isApart = schedule.kind === "subgroups" && schedule.areApart === true;
    super(space, isApart ? 1 : schedule.columns, loops);
    this.#apart = isApart ? schedule.columns : 1;
    this.#team = teamOf(schedule, rowCount(space), loops);
  }

  grid(sweeps: readonly Sweep[], kept: readonly SharedArray[]): Grid {
    const { workgroups, all, row, sharedLength } = this.#team;
    const index = unflatten(row, rowShapeOf(this.space));
    const types = sweeps.map(({ reductions }) => reductions.map(({ type }) => type));
    const shared = sharedArrays(types);
    let isUsed = false;
    const body = sweeps.flatMap((sweep) => {
      const statements = this.#sweep(sweep, index, { types: shared, first: kept.length, isUsed });
      isUsed ||= sweep.reductions.length > 0;
      return statements;
    });
    const arrays = sharedLength === 0 ? [] : shared.map((type) => ({ type, length: sharedLength }));
    return { invocations: workgroups * all, workgroup: { lanes: all, shared: [...kept, ...arrays] }, body };
  }

  #sweep(sweep: Sweep, row: Index, shared: TotalsArrays): readonly Statement[] {
    const { reductions } = sweep;
    const { lane, isRow, combined } = this.#team;
    const { statements, totals } = this.totalsOf(reductions, 1);
    const sums = this.sumsOf(reductions, totals);
    const own = this.stepOf(sweep, [new Map()]);
    const step: Step<Totals> = (index, into, parts) => onlyIn(isRow, own(index, into, parts));
    const along =
      this.#apart === 1
        ? alongTogether(this.steps, row, this.#team, sums, step, this.loops)
        : alongApart(this.steps, row, { ...this.#team, each: this.#apart }, sums, step, this.loops);
    const owned = reductions.map(({ fn, type }, i) => ({ fn, type, use: present(totals[i]?.[0], "rows: a total") }));
    const arrays = arraysFor(reductions.map(({ type }) => type), shared.types).map((at) => at + shared.first); // prettier-ignore
    const whole = combined(owned, arrays, shared.isUsed);
    const stores = sweep.finish(row, whole.results);
    const isFirst = equal(lane, i32(0));
    const last = stores.length === 0 ? [] : [when(isRow === undefined ? isFirst : and(isRow, isFirst), stores)];
    return [...statements, ...along, ...(reductions.length === 0 ? [] : whole.statements), ...last];
  }
}

/** The workgroup's arrays for totals: their types, the first one's number, and whether a sweep has used them. */
interface TotalsArrays {
  readonly types: readonly string[];
  readonly first: number;
  readonly isUsed: boolean;
}

function onlyIn(condition: Expr | undefined, statements: readonly Statement[]): readonly Statement[] {
  return condition === undefined || statements.length === 0 ? statements : [when(condition, statements)];
}

/** Arrays of each type, as many as the sweep with the most reductions of it needs. */
function sharedArrays<T extends string>(sweeps: readonly (readonly T[])[]): T[] {
  const most = new Map<T, number>();
  for (const types of sweeps) {
    for (const type of types) most.set(type, Math.max(most.get(type) ?? 0, types.filter((x) => x === type).length));
  }
  return [...most].flatMap(([type, count]) => new Array<T>(count).fill(type));
}

/** An array for each of a sweep's reductions. */
function arraysFor(types: readonly string[], shared: readonly string[]): number[] {
  const free = shared.map((type, array) => ({ type, array }));
  return types.map((type) => {
    const at = free.findIndex((each) => each.type === type);
    const [own] = free.splice(at, 1);
    return present(own, "rows: a shared array").array;
  });
}

/** ((a + b) + (c + d)): fewer steps in a row than one after another, for accuracy and for devices that overlap them. */
function inPairs(values: readonly Expr[], fold: (a: Expr, b: Expr) => Expr): Expr {
  let now = values;
  while (now.length > 1) {
    now = Array.from({ length: Math.ceil(now.length / 2) }, (_, i) => {
      const [a, b] = [present(now[2 * i], "rows: a value"), now[2 * i + 1]];
      return b === undefined ? a : fold(a, b);
    });
  }
  return present(now[0], "rows: a value");
}
