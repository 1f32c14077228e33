/**
 * Who goes along a row: an invocation alone, or lanes of a workgroup that combine their totals at the end of each sweep,
 * in an order that the schedule alone fixes (within a subgroup the device's): a device gives the same bits each time.
 */
import { add, divide, equal, i32, less, loadShared, minimum, multiply, remainder, subtract } from "../../lang/build.ts";
import { laneOf, workgroupOf } from "../../lang/expr.ts";
import { SUBGROUP_LANE, SUBGROUP_SIZE, type Expr, type PlainType, type Statement, type SubgroupOp } from "../../lang/kernel.ts"; // prettier-ignore
import { assign, BARRIER, letIn, storeShared, subgroupIn, varIn, when } from "../../lang/statements.ts";
import { combine, type Accumulation } from "../accumulate.ts";
import type { Loops } from "../grid.ts";
import type { RowSchedule } from "./row-schedule.ts";

/** A lane's total of one reduction. */
export interface Total {
  readonly fn: Accumulation;
  readonly type: PlainType;
  readonly use: Expr;
}

/** Lanes that share a row. */
export interface Team {
  readonly workgroups: number;
  /** Lanes in a workgroup, and of them those of a row. */
  readonly all: number;
  readonly lanes: number;
  /** The lane's number among those of its row. */
  readonly lane: Expr;
  /** The number of its row, and whether it is one: undefined where it always is. */
  readonly row: Expr;
  readonly isRow: Expr | undefined;
  /** Elements that a workgroup shares for each reduction of a sweep. */
  readonly sharedLength: number;
  /** What makes the totals one, and gives it to all lanes. `reusesShared` where shared arrays were used before. */
  combined(totals: readonly Total[], arrays: readonly number[], reusesShared: boolean): Combined;
}

interface Combined {
  readonly statements: readonly Statement[];
  readonly results: readonly Expr[];
}

/** No device has smaller subgroups. */
const SUBGROUP_SIZE_MIN = 4;

export function teamOf(schedule: RowSchedule & { kind: "subgroups" | "workgroup" }, rows: number, loops: Loops): Team {
  if (schedule.kind === "subgroups") return subgroupTeam(schedule.lanes, rows, loops);
  const { rows: together, lanes, isAcross } = schedule;
  const workgroups = Math.ceil(rows / together);
  const all = together * lanes;
  const own = laneOf(all);
  const [inside, lane] = isAcross
    ? [remainder(own, i32(together)), divide(own, i32(together))]
    : [divide(own, i32(lanes)), remainder(own, i32(lanes))];
  const row = add(multiply(workgroupOf(workgroups), i32(together)), inside);
  const isEven = rows % together === 0;
  return {
    workgroups,
    all,
    lanes,
    lane,
    row: isEven ? row : minimum(row, i32(rows - 1)),
    isRow: isEven ? undefined : less(row, i32(rows)),
    sharedLength: lanes === 1 ? 0 : all,
    combined: (totals, arrays, reusesShared) =>
      inTree(totals, arrays, { own, lane, lanes, apart: isAcross ? together : 1, reusesShared }, loops),
  };
}

interface Tree {
  /** The lane's place in the shared arrays, and how far the places of a row's lanes are apart. */
  readonly own: Expr;
  readonly apart: number;
  readonly lane: Expr;
  readonly lanes: number;
  readonly reusesShared: boolean;
}

/** The upper half's totals are added to those of the lower half, until lane 0 has all. */
function inTree(totals: readonly Total[], arrays: readonly number[], tree: Tree, loops: Loops): Combined {
  const { own, apart, lane, lanes, reusesShared } = tree;
  if (lanes === 1) return named(totals.map(({ use }) => use), loops); // prettier-ignore
  const array = (i: number): number => arrays[i] ?? 0;
  const statements: Statement[] = reusesShared ? [BARRIER] : [];
  for (const [i, { use }] of totals.entries()) statements.push(storeShared(array(i), own, use));
  for (let half = lanes / 2; half >= 1; half /= 2) {
    const sums = totals.map(({ fn, type }, i) => {
      const other = loadShared(array(i), add(own, i32(half * apart)), type);
      return storeShared(array(i), own, combine(fn, loadShared(array(i), own, type), other));
    });
    statements.push(BARRIER, when(less(lane, i32(half)), sums));
  }
  const first = subtract(own, multiply(lane, i32(apart)));
  const { statements: last, results } = named(
    totals.map(({ type }, i) => loadShared(array(i), first, type)),
    loops,
  );
  return { statements: [...statements, BARRIER, ...last], results };
}

function subgroupTeam(lanes: number, rows: number, loops: Loops): Team {
  return {
    workgroups: rows,
    all: lanes,
    lanes,
    lane: laneOf(lanes),
    row: workgroupOf(rows),
    isRow: undefined,
    sharedLength: Math.ceil(lanes / SUBGROUP_SIZE_MIN),
    combined: (totals, arrays, reusesShared) => bySubgroups(totals, arrays, lanes, reusesShared, loops),
  };
}

const SUBGROUP_OPS = {
  sum: "add",
  product: "product",
  maximum: "maximum",
  minimum: "minimum",
} as const satisfies Record<Accumulation, SubgroupOp>;

/** Each subgroup's totals, and then these in the order of the subgroups, by every lane for itself. */
function bySubgroups(
  totals: readonly Total[],
  arrays: readonly number[],
  lanes: number,
  reusesShared: boolean,
  loops: Loops,
): Combined {
  const array = (i: number): number => arrays[i] ?? 0;
  const parts = totals.map(({ fn, use }) => subgroupIn(loops.names, "part", SUBGROUP_OPS[fn], use));
  const subgroup = divide(laneOf(lanes), SUBGROUP_SIZE);
  const stores = parts.map(({ use }, i) => storeShared(array(i), subgroup, use));
  const sums = totals.map(({ type }, i) => varIn(loops.names, "sum", loadShared(array(i), i32(0), type)));
  const count = divide(add(SUBGROUP_SIZE, i32(lanes - 1)), SUBGROUP_SIZE);
  const rest = loops.for("subgroup", i32(1), count, (i) =>
    totals.map(({ fn, type }, at) => {
      const sum = sums[at]?.use ?? i32(0);
      return assign(sum, combine(fn, sum, loadShared(array(at), i, type)));
    }),
  );
  const { statements: last, results } = named(sums.map(({ use }) => use), loops); // prettier-ignore
  const statements = [
    ...parts.map(({ statement }) => statement),
    ...(reusesShared ? [BARRIER] : []),
    when(equal(SUBGROUP_LANE, i32(0)), stores),
    BARRIER,
    ...sums.map(({ statement }) => statement),
    rest,
    ...last,
  ];
  return { statements, results };
}

/** Named, so that what is computed of a result alone is computed once, outside of later sweeps. */
export function named(values: readonly Expr[], loops: Loops): Combined {
  const lets = values.map((value) => letIn(loops.names, "result", value));
  return { statements: lets.map(({ statement }) => statement), results: lets.map(({ use }) => use) };
}
