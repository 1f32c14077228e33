/**
 * Matrix products through workgroup memory, for GPUs: a block of lanes brings `steps` of k of its rows and columns into
 * shared arrays, each element once, waits, and multiplies from there.
 *
 * A block of 64 x 64 reads an operand 1/64 as often as one product after another would. Software adapters are 10 to 20
 * times slower at barriers than at anything else: there, registers are better.
 */
import { add, divide, i32, less, loadShared, multiply, remainder } from "../../lang/build.ts";
import { laneOf, workgroupOf } from "../../lang/expr.ts";
import type { Expr, Statement } from "../../lang/kernel.ts";
import { BARRIER, letIn } from "../../lang/statements.ts";
import { VECTOR } from "../../lang/vector-access.ts";
import type { Grid } from "../grid.ts";
import { layoutOf } from "./operand-layout.ts";
import type { ContractionSchedule } from "./schedule.ts";
import { lengthOf, placeIn, stage, type Side } from "./staging.ts";
import { addProducts, onlyIf, tilePlaceOf, totalsOf, type Totals, type Work } from "./tile.ts";

type WorkgroupSchedule = ContractionSchedule & { readonly kind: "workgroup" };

export function workgroupTiles(work: Work, schedule: WorkgroupSchedule): Grid {
  const { product, loops } = work;
  const { lanesDown, lanesAcross, rows, columns, steps } = schedule;
  const [height, width, lanes] = [lanesDown * rows, lanesAcross * columns, lanesDown * lanesAcross];
  const across = Math.ceil(product.columns / width);
  const down = Math.ceil(product.rows / height);
  const workgroups = product.batch * across * down;
  const tile = tilePlaceOf(workgroupOf(workgroups), across, down);
  const left: Side = {
    array: 0,
    count: height,
    first: multiply(tile.row, i32(height)),
    size: product.rows,
    isAlongInner: layoutOf(work.left, product.rows, product.inner) === "N",
    operand: (k, m) => work.left([tile.matrix, m, k]),
  };
  const right: Side = {
    array: 1,
    count: width,
    first: multiply(tile.column, i32(width)),
    size: product.columns,
    isAlongInner: layoutOf(work.right, product.inner, product.columns) === "T",
    operand: (k, n) => work.right([tile.matrix, k, n]),
  };
  const totals = totalsOf(loops, rows, columns);
  const lane = laneOf(lanes);
  const ms = rowsOf(divide(lane, i32(lanesAcross)), rows);
  const ns = columnsOf(remainder(lane, i32(lanesAcross)), right.isAlongInner, schedule);
  const blocks = loops.for("block", i32(0), i32(Math.ceil(product.inner / steps)), (block) => {
    const window = { firstK: multiply(block, i32(steps)), steps, inner: product.inner };
    const staged = [left, right].flatMap((side) => stage(side, window, lane, lanes));
    return [BARRIER, ...staged, BARRIER, multiplied(work, totals, { steps, left, right, ms, ns })];
  });
  const stores = storeWritten(work, totals, tile.matrix, {
    ms: ms.map((m) => add(left.first, m)),
    ns: ns.map((n) => add(right.first, n)),
    together: right.isAlongInner ? 1 : fours(columns),
  });
  const shared = [left, right].map((side) => ({ type: "f32" as const, length: lengthOf(side, steps) }));
  return {
    invocations: workgroups * lanes,
    workgroup: { lanes, shared },
    body: [...totals.statements, blocks, ...stores],
  };
}

function fours(count: number): number {
  return count % VECTOR === 0 ? VECTOR : 1;
}

/** A lane's rows in the block, side by side. */
function rowsOf(laneRow: Expr, rows: number): readonly Expr[] {
  return Array.from({ length: rows }, (_, i) => add(multiply(laneRow, i32(rows)), i32(i)));
}

/**
 * A lane's columns in the block: in fours, with those of the other lanes between, where neighbouring columns are
 * neighbours in shared memory; else one by one. So that lanes read from different banks.
 */
function columnsOf(
  laneColumn: Expr,
  isAlongInner: boolean,
  { columns, lanesAcross }: WorkgroupSchedule,
): readonly Expr[] {
  const together = isAlongInner ? 1 : fours(columns);
  return Array.from({ length: columns }, (_, j) => {
    const apart = Math.floor(j / together) * together * lanesAcross;
    return add(multiply(laneColumn, i32(together)), i32(apart + (j % together)));
  });
}

interface Block {
  readonly steps: number;
  readonly left: Side;
  readonly right: Side;
  readonly ms: readonly Expr[];
  readonly ns: readonly Expr[];
}

/** All products of the block, four steps of k in a round: what lies along k is read in fours too. */
function multiplied({ loops }: Work, totals: Totals, { steps, left, right, ms, ns }: Block): Statement {
  const each = fours(steps);
  return loops.for("k", i32(0), i32(steps / each), (round) => {
    const ks = Array.from({ length: each }, (_, step) => add(multiply(round, i32(each)), i32(step)));
    const before: Statement[] = [];
    const load = (side: Side, place: Expr, k: Expr, into: Statement[]): Expr => {
      const { statement, use } = letIn(
        loops.names,
        "part",
        loadShared(side.array, placeIn(side, steps, place, k), "f32"),
      );
      into.push(statement);
      return use;
    };
    const allSteps = (side: Side, places: readonly Expr[]): readonly Expr[][] | undefined =>
      side.isAlongInner ? places.map((place) => ks.map((k) => load(side, place, k, before))) : undefined;
    const [lefts, rights] = [allSteps(left, ms), allSteps(right, ns)];
    const body = ks.flatMap((k, step) => {
      const own: Statement[] = [];
      const one = (side: Side, all: readonly Expr[][] | undefined, places: readonly Expr[]): Expr[] =>
        places.map((place, i) => all?.[i]?.[step] ?? load(side, place, k, own));
      const products = { lefts: one(left, lefts, ms), rights: one(right, rights, ns) };
      return [...own, ...addProducts(totals, [products])];
    });
    return [...before, ...body];
  });
}

interface Places {
  readonly ms: readonly Expr[];
  readonly ns: readonly Expr[];
  /** So many columns are neighbours. */
  readonly together: number;
}

/** Every store written out: GPUs compile it fast, and index no registers. */
function storeWritten(
  { product, sink }: Work,
  { uses }: Totals,
  matrix: Expr,
  { ms, ns, together }: Places,
): Statement[] {
  const each = product.columns % together === 0 ? together : 1;
  return uses.flatMap((row, i) => {
    const m = ms[i] ?? i32(0);
    const stores: Statement[] = [];
    for (let j = 0; j < row.length; j += each) {
      const some = row.slice(j, j + each).flatMap((total, part) => sink([matrix, m, ns[j + part] ?? i32(0)], total));
      stores.push(...onlyIf(less(ns[j] ?? i32(0), i32(product.columns)), some));
    }
    return [...onlyIf(less(m, i32(product.rows)), stores)];
  });
}
