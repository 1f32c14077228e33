/**
 * How a matrix product is computed: a schedule a kernel. All of them add the products in the order of k, so that those
 * without parts give the same sums.
 */
import { OptionError } from "../../../base/errors.ts";

/** Batched: out[b, m, n] = sum over k of left[b, m, k] * right[b, k, n]. */
export interface Contraction {
  readonly batch: number;
  /** M */
  readonly rows: number;
  /** N */
  readonly columns: number;
  /** K */
  readonly inner: number;
}

/** What an invocation computes: `rows` x `columns` results, with `steps` of k written out in each round of its loop. */
interface Tile {
  readonly rows: number;
  readonly columns: number;
  readonly steps: number;
}

export type ContractionSchedule =
  /** Each invocation for itself. */
  | ({ readonly kind: "registers" } & Tile)
  /** A workgroup's lanes lie along the columns, so that they read the same of the left operand. */
  | ({ readonly kind: "columns" } & Tile)
  /** A subgroup's lanes lie along the columns; each loads another row of the left operand, and gives it to all. */
  | ({ readonly kind: "subgroups"; readonly size: number } & Tile)
  /** A block of lanes brings `steps` of k of both operands into workgroup memory, and reads them there. */
  | ({ readonly kind: "workgroup"; readonly lanesDown: number; readonly lanesAcross: number } & Tile)
  /**
   * A vector's lanes lie along the columns of a block of `down` x `across` tiles, of which they bring `depth` of k at a
   * time into panels: a tile's operands lie side by side there, in the order in which they are read.
   */
  | ({ readonly kind: "panels"; readonly down: number; readonly across: number; readonly depth: number } & Tile)
  /** All lanes of a workgroup share one result: each sums some of k, then they add their sums up. */
  | { readonly kind: "line"; readonly lanes: number };

/** The schedule's name, for tables and files: the same in every version. */
export function contractionScheduleName(schedule: ContractionSchedule): string {
  if (schedule.kind === "line") return `line of ${schedule.lanes}`;
  const { kind, rows, columns, steps } = schedule;
  const tile = `${rows}x${columns} by ${steps}`;
  if (kind === "subgroups") return `subgroups of ${schedule.size}, ${tile}`;
  if (kind === "panels") return `panels of ${schedule.down}x${schedule.across} for ${schedule.depth}, ${tile}`;
  return kind === "workgroup"
    ? `workgroup of ${schedule.lanesDown}x${schedule.lanesAcross}, ${tile}`
    : `${kind} ${tile}`;
}

const TILED = /^(registers|columns|subgroups of (\d+),|workgroup of (\d+)x(\d+),) (\d+)x(\d+) by (\d+)$/;
const PANELS = /^panels of (\d+)x(\d+) for (\d+), (\d+)x(\d+) by (\d+)$/;
const LINE = /^line of (\d+)$/;

/** The schedule of a name. @throws OptionError for what is none. */
export function parseContractionSchedule(name: string): ContractionSchedule {
  const [, lanes] = LINE.exec(name) ?? [];
  if (lanes !== undefined) return { kind: "line", lanes: Number(lanes) };
  const panels = PANELS.exec(name);
  if (panels !== null) {
    const [down = 1, across = 1, depth = 1, rows = 1, columns = 1, steps = 1] = panels.slice(1).map(Number);
    return { kind: "panels", down, across, depth, rows, columns, steps };
  }
  const [, kind = "", size, lanesDown, lanesAcross, rows, columns, steps] = TILED.exec(name) ?? [];
  const tile: Tile = { rows: Number(rows), columns: Number(columns), steps: Number(steps) };
  if (kind === "registers" || kind === "columns") return { kind, ...tile };
  if (kind.startsWith("subgroups")) return { kind: "subgroups", size: Number(size), ...tile };
  if (kind.startsWith("workgroup")) {
    return { kind: "workgroup", lanesDown: Number(lanesDown), lanesAcross: Number(lanesAcross), ...tile };
  }
  throw new OptionError(`parseContractionSchedule: expected a name such as "registers 4x4 by 1", found ${name}`);
}
