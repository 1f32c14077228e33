/**
 * Running totals along an axis: an invocation a line, which goes along it; or a workgroup a line, which takes as many
 * elements at a time as it has lanes.
 *
 * The compiler cuts few long lines into chunks (see `compiler/split.ts`).
 */
import { add, and, divide, equal, i32, less, lessEqual, loadShared, minimum, multiply, notEqual, select, subtract } from "../lang/build.ts"; // prettier-ignore
import { invocationOf, laneOf, workgroupOf } from "../lang/expr.ts";
import { SUBGROUP_LANE, SUBGROUP_SIZE, SUBGROUP_SIZE_MAX, type Expr, type ScalarType, type Statement } from "../lang/kernel.ts"; // prettier-ignore
import { assign, BARRIER, letIn, shuffleXorIn, storeShared, varIn, when } from "../lang/statements.ts";
import { elementCount } from "../layout/shape.ts";
import { combine, identityOf, type Accumulation } from "./accumulate.ts";
import type { DeviceTraits } from "./device-traits.ts";
import { unflatten, type Grid, type Loops, type Operand, type Sink } from "./grid.ts";

export interface Scan {
  readonly fn: Accumulation;
  readonly type: Exclude<ScalarType, "bool">;
  readonly shape: readonly number[];
  readonly axis: number;
}

/** Who goes along a line. Lanes are a power of two. */
export type ScanSchedule =
  | { readonly kind: "invocation" }
  /** Totals meet in workgroup memory, in log2(lanes) rounds. */
  | { readonly kind: "workgroup"; readonly lanes: number }
  /** Totals meet in subgroups of any size, and those of the subgroups in workgroup memory. */
  | { readonly kind: "subgroups"; readonly lanes: number };

/** The schedule's name, for tables and files: the same in every version. */
export function scanScheduleName(schedule: ScanSchedule): string {
  return schedule.kind === "invocation" ? "invocation" : `${schedule.kind} of ${schedule.lanes}`;
}

/** Shorter lines are left to an invocation each. */
const LINE_MIN = 256;
const LANES = 128;
/** No device has smaller subgroups. */
const SUBGROUP_SIZE_MIN = 4;

/** The schedules to try, the default first. */
export function scanCandidates({ shape, axis }: Scan, traits: DeviceTraits): readonly ScanSchedule[] {
  const lanes = Math.min(LANES, traits.limits.workgroupLanesMax);
  const alone: ScanSchedule = { kind: "invocation" };
  if ((shape[axis] ?? 1) < LINE_MIN) return [alone];
  const together: ScanSchedule[] = traits.hasSubgroups ? [{ kind: "subgroups", lanes }] : [];
  together.push({ kind: "workgroup", lanes });
  return traits.isSoftware ? [alone, ...together] : [...together, alone];
}

/** out[.., i, ..] = fn of operand[.., 0 to i, ..] */
export function scan(work: Scan, schedule: ScanSchedule, operand: Operand, sink: Sink, loops: Loops): Grid {
  const { fn, type, shape, axis } = work;
  const lines = shape.map((size, i) => (i === axis ? 1 : size));
  const count = elementCount(lines);
  if (schedule.kind !== "invocation") return byTeams(work, schedule, { lines, count }, operand, sink, loops);
  const line = unflatten(invocationOf(count), lines);
  const total = varIn(loops.names, "total", identityOf(fn, type));
  const along = loops.for("i", i32(0), i32(shape[axis] ?? 1), (i) => {
    const index = line.map((at, other) => (other === axis ? i : at));
    return [assign(total.use, combine(fn, total.use, operand(index))), ...sink(index, total.use)];
  });
  return { invocations: count, body: [total.statement, along] };
}

function byTeams(
  { fn, type, shape, axis }: Scan,
  { kind, lanes }: Exclude<ScanSchedule, { kind: "invocation" }>,
  { lines, count }: { readonly lines: readonly number[]; readonly count: number },
  operand: Operand,
  sink: Sink,
  loops: Loops,
): Grid {
  const size = shape[axis] ?? 1;
  const line = unflatten(workgroupOf(count), lines);
  const identity = identityOf(fn, type);
  const before = varIn(loops.names, "before", identity);
  const along = loops.for("block", i32(0), i32(Math.ceil(size / lanes)), (block) => {
    const place = add(multiply(block, i32(lanes)), laneOf(lanes));
    const isInside = less(place, i32(size));
    const index = line.map((at, other) => (other === axis ? minimum(place, i32(size - 1)) : at));
    const own = varIn(loops.names, "own", select(isInside, operand(index), identity));
    const team = { fn, type, lanes, own: own.use, loops };
    const scanned = kind === "workgroup" ? inWorkgroup(team) : inSubgroups(team);
    const result = letIn(loops.names, "result", combine(fn, before.use, own.use));
    const last = loadShared(0, i32(lanes - 1), type);
    return [
      own.statement,
      ...scanned,
      result.statement,
      when(isInside, sink(index, result.use)),
      // What the last lane has is what all lanes have behind them.
      BARRIER,
      storeShared(0, laneOf(lanes), result.use),
      BARRIER,
      assign(before.use, last),
      BARRIER,
    ];
  });
  const shared = [{ type, length: lanes }, { type, length: Math.ceil(lanes / SUBGROUP_SIZE_MIN) }]; // prettier-ignore
  return { invocations: count * lanes, workgroup: { lanes, shared }, body: [before.statement, along] };
}

interface ScanTeam {
  readonly fn: Accumulation;
  readonly type: Exclude<ScalarType, "bool">;
  readonly lanes: number;
  /** A lane's value before, its running total after. */
  readonly own: Expr;
  readonly loops: Loops;
}

/** Each round adds the total of twice as many lanes before (Hillis and Steele, "Data Parallel Algorithms", 1986). */
function inWorkgroup({ fn, type, lanes, own, loops }: ScanTeam): Statement[] {
  const lane = laneOf(lanes);
  const statements: Statement[] = [];
  for (let apart = 1; apart < lanes; apart *= 2) {
    const other = loadShared(0, subtract(lane, i32(apart)), type);
    const joined = letIn(loops.names, "joined", combine(fn, other, own));
    statements.push(storeShared(0, lane, own), BARRIER);
    statements.push(when(lessEqual(i32(apart), lane), [joined.statement, assign(own, joined.use)]), BARRIER);
  }
  return statements;
}

/** The same in subgroups by exchange, then each lane adds the totals of the subgroups before its own. */
function inSubgroups({ fn, type, lanes, own, loops }: ScanTeam): Statement[] {
  const statements: Statement[] = [];
  const total = varIn(loops.names, "total", own);
  statements.push(total.statement);
  for (let mask = 1; mask < Math.min(lanes, SUBGROUP_SIZE_MAX); mask *= 2) {
    const other = shuffleXorIn(loops.names, "other", total.use, mask);
    const isUpper = notEqual(and(SUBGROUP_LANE, i32(mask)), i32(0));
    // Lower lanes come first: sums of floats depend on the order.
    const [low, high] = [combine(fn, other.use, total.use), combine(fn, total.use, other.use)];
    const joined = letIn(loops.names, "joined", select(isUpper, low, high));
    const exchange = [
      other.statement,
      when(isUpper, [assign(own, combine(fn, other.use, own))]),
      joined.statement,
      assign(total.use, joined.use),
    ];
    statements.push(when(less(i32(mask), SUBGROUP_SIZE), exchange));
  }
  const subgroup = divide(laneOf(lanes), SUBGROUP_SIZE);
  const before = varIn(loops.names, "earlier", identityOf(fn, type));
  const earlier = loops.for("subgroup", i32(0), i32(Math.ceil(lanes / SUBGROUP_SIZE_MIN)), (i) => [
    when(less(i, subgroup), [assign(before.use, combine(fn, before.use, loadShared(1, i, type)))]),
  ]);
  return [
    ...statements,
    when(equal(SUBGROUP_LANE, i32(0)), [storeShared(1, subgroup, total.use)]),
    BARRIER,
    before.statement,
    earlier,
    assign(own, combine(fn, before.use, own)),
  ];
}
