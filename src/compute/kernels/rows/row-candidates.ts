/**
 * Which schedules are worth trying for rows on a kind of device: the first one is the default, by shape and device alone,
 * so that a device gives the same bits each time.
 */
import type { DeviceTraits } from "../device-traits.ts";
import { INVOCATION_A_ROW, rowScheduleName, type RowSchedule } from "./row-schedule.ts";

/** What decides about the rows of a kernel. */
export interface RowWork {
  readonly rows: number;
  readonly columns: number;
  /** Neighbours in memory belong to neighbouring rows, as where columns of a matrix are summed. */
  readonly isAcross: boolean;
  /** Whether 4 divides the innermost axis, along the row or (`isAcross`) across rows: then neighbours are written out. */
  readonly isInFours: boolean;
  /** Rows along the innermost axis that is not reduced. */
  readonly rowsBeside: number;
  /** All of the kernel. */
  readonly reductions: number;
  /** The arithmetic of an element outweighs a few loads. */
  readonly isHeavy: boolean;
}

/** A vector's elements. */
const FOUR = 4;
/** Elements from which on a software adapter is better off with more code. */
const WRITTEN_FROM = 2 ** 17;
/** Fewer rows than this, four an invocation, are a workgroup or two: not enough for all processors. */
const ROWS_WRITTEN_FROM = 512;
/** Shorter rows are an invocation's. */
const COLUMNS_TOGETHER = 32;
/** Fewer rows than this leave a GPU idle when each is an invocation's. */
const ROWS_ALONE = 4096;
/** Lanes of a workgroup that rows share, and at most those of one row. */
const LANES_WANTED = 64;
const LANES_MAX = 256;
/** Vectors of neighbouring rows that are summed at a time, and sums that stay in registers. */
const VECTORS_BESIDE = [8, 4, 2];
const SUMS_MAX = 8;
/** Neighbouring rows that lanes load together: more than a cache line. */
const ROWS_ACROSS = 32;

/** The schedules to try, the default first; each runs on the device. */
export function rowCandidates(work: RowWork, traits: DeviceTraits): readonly RowSchedule[] {
  const all = traits.hasVectorLanes
    ? vectorCandidates(work)
    : traits.isSoftware
      ? softwareCandidates(work)
      : hardwareCandidates(work, traits);
  const byName = new Map(all.filter((schedule) => runsOn(schedule, work, traits)).map((each) => [rowScheduleName(each), each])); // prettier-ignore
  return [...byName.values()];
}

function runsOn(schedule: RowSchedule, { reductions }: RowWork, { limits, hasSubgroups }: DeviceTraits): boolean {
  if (schedule.kind === "invocation" || schedule.kind === "vectors") return true;
  if (schedule.kind === "subgroups" && !hasSubgroups) return false;
  const lanes = schedule.kind === "workgroup" ? schedule.rows * schedule.lanes : schedule.lanes;
  return lanes <= limits.workgroupLanesMax && 4 * lanes * reductions <= limits.workgroupBytesMax;
}

/**
 * The lanes of a vector go along a row together, or along rows that are neighbours in memory: then several vectors, for
 * all of a cache line. Steps of little arithmetic are written out, so that they do not wait for the sum before.
 */
function vectorCandidates({ rowsBeside, columns, reductions, isAcross, isHeavy }: RowWork): RowSchedule[] {
  const one: RowSchedule = { kind: "subgroups", lanes: FOUR, columns: 1 };
  const several: RowSchedule = { kind: "subgroups", lanes: FOUR, columns: FOUR, areApart: true };
  if (columns < COLUMNS_TOGETHER) return [INVOCATION_A_ROW, one];
  if (!isAcross) return isHeavy ? [one, several, INVOCATION_A_ROW] : [several, one, INVOCATION_A_ROW];
  const beside = VECTORS_BESIDE.find(
    (vectors) => vectors * reductions <= SUMS_MAX && rowsBeside % (FOUR * vectors) === 0,
  );
  const vectors: RowSchedule[] = beside === undefined ? [] : [{ kind: "vectors", rows: beside }];
  return [...vectors, INVOCATION_A_ROW, one];
}

/** Barriers and subgroups lose 2 to 50 times there. Loads of fours take half the time, and a third more to compile. */
function softwareCandidates({ rows, columns, isAcross, isInFours }: RowWork): RowSchedule[] {
  if (!isInFours) return [INVOCATION_A_ROW];
  const written: RowSchedule = { kind: "invocation", rows: isAcross ? FOUR : 1, columns: isAcross ? 1 : FOUR };
  const isWorthIt = rows * columns >= WRITTEN_FROM && (!isAcross || rows >= ROWS_WRITTEN_FROM);
  return isWorthIt ? [written, INVOCATION_A_ROW] : [INVOCATION_A_ROW, written];
}

function hardwareCandidates(work: RowWork, traits: DeviceTraits): RowSchedule[] {
  return work.isAcross ? acrossCandidates(work) : alongCandidates(work, traits);
}

/** Neighbouring rows are neighbours in memory: an invocation a row reads well, where there are enough of them. */
function acrossCandidates({ rows, columns }: RowWork): RowSchedule[] {
  if (columns < COLUMNS_TOGETHER) return [INVOCATION_A_ROW];
  const tile = (rowsTogether: number, lanes: number): RowSchedule => {
    return { kind: "workgroup", rows: rowsTogether, lanes, columns: 1, isAcross: true };
  };
  const across = Math.min(ROWS_ACROSS, powerUpTo(rows));
  const down = Math.min(LANES_MAX / across, powerUpTo(columns / 2));
  const tiles = [tile(across, down), tile(across, Math.max(1, down / 2)), tile(Math.max(1, across / 2), down)];
  return rows < ROWS_ALONE ? [...tiles, INVOCATION_A_ROW] : [INVOCATION_A_ROW, ...tiles];
}

/** Neighbouring lanes load neighbours; rows too short for a workgroup share one. */
function alongCandidates({ rows, columns, isInFours }: RowWork, { hasSubgroups }: DeviceTraits): RowSchedule[] {
  if (columns < COLUMNS_TOGETHER) return [INVOCATION_A_ROW];
  const each = isInFours ? FOUR : 1;
  const lanesFor = (columnsEach: number): number => Math.min(LANES_MAX, powerUpTo(columns / columnsEach));
  const workgroup = (lanes: number, columnsEach: number): RowSchedule => {
    const together = Math.max(1, Math.min(LANES_WANTED / lanes, powerUpTo(rows)));
    return { kind: "workgroup", rows: together, lanes, columns: columnsEach, isAcross: false };
  };
  const lanes = lanesFor(each);
  const subgroups = (all: number): RowSchedule => ({ kind: "subgroups", lanes: all, columns: each });
  const plain = [workgroup(lanes, each), workgroup(Math.max(1, lanes / 4), each), workgroup(lanesFor(1), 1)];
  const usual = lanes >= COLUMNS_TOGETHER && hasSubgroups ? [subgroups(lanes), ...plain] : plain;
  const fewer = lanes >= 4 * COLUMNS_TOGETHER ? [subgroups(lanes / 4)] : [];
  return [...usual, ...fewer, INVOCATION_A_ROW];
}

/** The largest power of two up to `most`, at least 1. */
function powerUpTo(most: number): number {
  return 2 ** Math.max(0, Math.floor(Math.log2(Math.max(1, most))));
}
