/**
 * Which schedules are worth trying for a product on a kind of device: the first one is the default, by shape and device
 * alone, so that a device gives the same bits each time.
 *
 * What decides on software adapters: a load costs a lane as much as ten products, a store to compile as much as a
 * hundred, and code that leaves the instruction cache (large tiles, steps written out) halves the speed.
 */
import { VECTOR } from "../../lang/vector-access.ts";
import type { DeviceTraits } from "../device-traits.ts";
import type { OperandLayout } from "./operand-layout.ts";
import { panelLength } from "./panel-side.ts";
import { PAD } from "./staging.ts";
import { contractionScheduleName, type Contraction, type ContractionSchedule } from "./schedule.ts";

/** How the operands lie in memory. */
export interface OperandLayouts {
  readonly left: OperandLayout;
  readonly right: OperandLayout;
}

/** Of panels: at most so many rows and columns of a block, and steps of k that stay near the processor. */
const BLOCK_ROWS = 264;
const BLOCK_COLUMNS = 520;
const BLOCK_DEPTH = 512;
/** Rows and columns of sums that processors keep up with, and the time for each: few sums wait for one another. */
type Tile = readonly [rows: number, columns: number, cost: number];
const TILES: readonly Tile[] = [
  [6, 8, 1],
  [5, 8, 1.01],
  [3, 12, 1.02],
  [4, 8, 1.05],
];
/** Multiplications from which on several threads should have blocks, and how many each. */
const SHARED_FROM = 2 ** 20;
const BLOCKS_A_THREAD = 2;

/** Multiplications from which on more code pays for itself on a software adapter: some, and as much as there is use for. */
const SOFTWARE_MEDIUM = 2 ** 22;
const SOFTWARE_LARGE = 2 ** 24;
/** Subgroups from which on each load is so much code that steps are written out for larger products only. */
const SUBGROUP_WIDE = 8;
/** Larger subgroups have no use for a row a lane. */
const SUBGROUP_MAX = 16;

/** The schedules to try, the default first; each runs on the device, for any operands. */
export function contractionCandidates(
  product: Contraction,
  layouts: OperandLayouts,
  traits: DeviceTraits,
): readonly ContractionSchedule[] {
  const all = traits.hasVectorLanes
    ? vectorCandidates(product, layouts, traits)
    : traits.isSoftware
      ? softwareCandidates(product, layouts, traits)
      : hardwareCandidates(product, layouts, traits);
  const byName = new Map(all.filter((schedule) => runsOn(schedule, traits)).map((schedule) => [contractionScheduleName(schedule), schedule])); // prettier-ignore
  return [...byName.values()];
}

function runsOn(schedule: ContractionSchedule, { limits, hasSubgroups }: DeviceTraits): boolean {
  const [lanes, elements] = workgroupOf(schedule);
  if (schedule.kind === "subgroups" && !hasSubgroups) return false;
  return lanes <= limits.workgroupLanesMax && elements * 4 <= limits.workgroupBytesMax;
}

/** Lanes, and elements that they share. */
function workgroupOf(schedule: ContractionSchedule): [number, number] {
  if (schedule.kind === "line") return [schedule.lanes, schedule.lanes];
  if (schedule.kind === "panels") return [VECTOR, panelElements(schedule)];
  if (schedule.kind !== "workgroup") return [1, 0];
  const { lanesDown, lanesAcross, rows, columns, steps } = schedule;
  return [lanesDown * lanesAcross, (steps + PAD) * (lanesDown * rows + lanesAcross * columns)];
}

/** Panels; without them where there are too few rows or columns for tiles. */
function vectorCandidates(
  product: Contraction,
  { left, right }: OperandLayouts,
  { vectorSums = 8, threads = 1 }: DeviceTraits,
): ContractionSchedule[] {
  const { rows, columns } = product;
  const alone: ContractionSchedule = { kind: "registers", rows: sideFor(rows, 4), columns: 1, steps: 1 };
  if (rows < 4 || columns < 2 * VECTOR) {
    const isAlongInner = rows < columns ? right === "T" : left === "N";
    const line: ContractionSchedule = { kind: "line", lanes: VECTOR };
    return isAlongInner ? [line, alone] : [alone, line];
  }
  const blocks = threads === 1 ? 1 : BLOCKS_A_THREAD * threads;
  const tiles = TILES.filter(([height, width]) => height * width <= vectorSums * VECTOR && height <= rows);
  const computed = ([height, width, cost]: Tile): number => cost * upTo(rows, height) * upTo(columns, width);
  const best = tiles.sort((a, b) => computed(a) - computed(b)).slice(0, 2);
  return [...best.map(([height, width]) => panelsFor(product, [height, width], blocks)), alone];
}

/** `count` rounded up to whole tiles. */
function upTo(count: number, each: number): number {
  return Math.ceil(count / each) * each;
}

/** Blocks of about the same size, as many as there is use for. */
function panelsFor(
  product: Contraction,
  [height, width]: readonly [number, number],
  blocksWanted: number,
): ContractionSchedule {
  const { batch, rows, columns, inner } = product;
  const [tilesDown, tilesAcross] = [Math.ceil(rows / height), Math.ceil(columns / width)];
  const blocksAcross = Math.ceil(columns / BLOCK_COLUMNS);
  const isShared = batch * rows * columns * inner >= SHARED_FROM;
  const wanted = isShared ? Math.ceil(blocksWanted / (batch * blocksAcross)) : 1;
  const blocksDown = Math.max(Math.ceil(rows / BLOCK_ROWS), Math.min(wanted, tilesDown));
  return {
    kind: "panels",
    down: Math.ceil(tilesDown / blocksDown),
    across: Math.ceil(tilesAcross / blocksAcross),
    // Rounds of about the same length.
    depth: VECTOR * Math.ceil(inner / Math.ceil(inner / BLOCK_DEPTH) / VECTOR),
    rows: height,
    columns: width,
    steps: 1,
  };
}

/** Elements of the panels and the totals, at most. */
function panelElements({ down, across, depth, rows, columns }: ContractionSchedule & { kind: "panels" }): number {
  const left = { each: rows, tiles: down };
  const lefts = [true, false].map((isInLines) => panelLength({ ...left, isInLines }, depth));
  const right = panelLength({ each: columns, tiles: across, isInLines: false }, depth);
  return Math.max(...lefts) + right + down * rows * across * columns;
}

function softwareCandidates(
  product: Contraction,
  { left, right }: OperandLayouts,
  { subgroupSize }: DeviceTraits,
): ContractionSchedule[] {
  const { batch, rows, columns, inner } = product;
  const work = batch * rows * columns * inner;
  const isLarge = work >= SOFTWARE_LARGE;
  const across = columns % 4 === 0 ? 4 : sideFor(columns, 4);
  const registers = (down: number, width: number, steps = 1): ContractionSchedule => ({
    kind: "registers",
    rows: sideFor(rows, down),
    columns: Math.min(columns, width),
    steps,
  });
  const alone = isLarge
    ? [registers(8, across * 2), registers(4, across)]
    : [registers(4, across), registers(8, across * 2)];
  const size = subgroupSize ?? 0;
  const isThin = columns < SUBGROUP_WIDE || rows < SUBGROUP_WIDE / 2;
  if (isThin) {
    // Vectors of the operand that is large: along k, or across it.
    const isAlongInner = rows < columns ? right === "T" : left === "N";
    const along = registers(rows < columns ? 4 : 1, rows < columns ? 1 : 4, 4);
    const across = registers(4, 4);
    return [...(isAlongInner ? [along, across] : [across, along]), ...alone];
  }
  if (size < 2 || size > SUBGROUP_MAX || columns < size) return [...alone, registers(4, across * 2)];
  const shared = (down: number, width: number, steps: number): ContractionSchedule => {
    return { kind: "subgroups", size, rows: Math.min(rows, down), columns: width, steps };
  };
  // Lanes beyond the last column compute in vain.
  const width = [4, 2, 1].find((side) => wasted(columns, size * side) < 0.3) ?? 1;
  const steps = size >= SUBGROUP_WIDE && work < SOFTWARE_MEDIUM ? 1 : 2;
  const usual = isLarge ? shared(16, width, 2) : shared(8, width, steps);
  const small = [shared(8, width, 1), shared(8, width, 2), shared(8, width, 4)];
  return [usual, ...small, shared(16, width, 1), shared(16, width, 2), shared(16, width * 2, 2), ...alone];
}

/** The part of lanes and columns that is beyond the edge. */
function wasted(size: number, tile: number): number {
  return 1 - size / (Math.ceil(size / tile) * tile);
}

/** About `wanted`, and a divisor of `size` where there is one: edges take conditions. */
function sideFor(size: number, wanted: number): number {
  const sides = [wanted, wanted + 1, wanted - 1, wanted - 2, 4, 5, 3].filter((side) => side > 0 && size % side === 0);
  return sides[0] ?? Math.min(size, wanted);
}

const BLOCKS = [
  { lanesDown: 16, lanesAcross: 16, rows: 8, columns: 8 },
  { lanesDown: 16, lanesAcross: 16, rows: 8, columns: 4 },
  { lanesDown: 16, lanesAcross: 16, rows: 4, columns: 4 },
  { lanesDown: 8, lanesAcross: 8, rows: 4, columns: 4 },
  { lanesDown: 8, lanesAcross: 8, rows: 2, columns: 4 },
] as const;
/** Workgroups that keep a GPU busy. */
const WORKGROUPS_WANTED = 96;
/** Along k, results of so few rows or columns are summed by all lanes of a workgroup. */
const LINES_MAX = 4;
const LINE_INNER_MIN = 256;

function hardwareCandidates(
  product: Contraction,
  { left, right }: OperandLayouts,
  traits: DeviceTraits,
): ContractionSchedule[] {
  const { batch, rows, columns, inner } = product;
  const block = (block: (typeof BLOCKS)[number], steps: number): ContractionSchedule => ({
    kind: "workgroup",
    ...block,
    steps,
  });
  const isFilled = ({ lanesDown, lanesAcross, rows: down, columns: across }: (typeof BLOCKS)[number]): boolean =>
    batch * Math.ceil(rows / (lanesDown * down)) * Math.ceil(columns / (lanesAcross * across)) >= WORKGROUPS_WANTED;
  const fits = ({ lanesDown, lanesAcross, rows: down, columns: across }: (typeof BLOCKS)[number]): boolean =>
    lanesDown * down < 2 * rows && lanesAcross * across < 2 * columns;
  const useful = BLOCKS.filter(fits);
  const best = useful.find(isFilled) ?? useful.at(-1);
  const small: ContractionSchedule = {
    kind: "registers",
    rows: Math.min(4, rows),
    columns: Math.min(4, columns),
    steps: 1,
  };
  const others: ContractionSchedule[] = [
    ...useful.map((each) => block(each, 16)),
    ...useful.slice(0, 2).map((each) => block(each, 8)),
    { kind: "columns", rows: Math.min(8, rows), columns: 4, steps: 1 },
    small,
  ];
  const { subgroupSize } = traits;
  if (subgroupSize !== null && columns >= subgroupSize) {
    others.push({ kind: "subgroups", size: subgroupSize, rows: Math.min(8, rows), columns: 4, steps: 1 });
  }
  const isThin = Math.min(rows, columns) <= LINES_MAX;
  // Neighbouring lanes read neighbours of the operand that is large.
  const isAlongInner = rows < columns ? right === "T" : left === "N";
  const lines: ContractionSchedule[] = isThin && inner >= LINE_INNER_MIN ? [{ kind: "line", lanes: 64 }] : [];
  if (isAlongInner && lines.length > 0) return [...lines, small, ...others];
  return [...(best === undefined || isThin ? [small] : [block(best, 16), block(best, 8)]), ...others, ...lines];
}
