/**
 * What members tell each other about their device memory: a map of at most 256 cells and some rounded figures, about
 * a kilobyte as JSON. It is for people; nothing that is computed depends on it.
 *
 * The cells of a slab are a text of letters, one a use, with a count before those that repeat: "12p4g100." is 12
 * cells of parameters, 4 of gradients and 100 free ones. It is never longer than it has cells.
 */

/** Cells of all slabs together. */
export const CELLS_MAX = 256;
/** Slabs that are told apart. */
export const SLABS_MAX = 32;

/** What memory can be used for: `MemoryKind` of the compute stack, which the wire does not know. */
export type UsedFor = "parameters" | "gradients" | "optimizer" | "activations" | "communication" | "cache" | "other";
/** What a cell of the map is used for. */
export type CellUse = UsedFor | "free";

/** Letters of cells, and what they stand for. Other letters are refused. */
const USES = {
  p: "parameters",
  g: "gradients",
  o: "optimizer",
  a: "activations",
  m: "communication",
  c: "cache",
  x: "other",
  ".": "free",
} as const satisfies Readonly<Record<string, CellUse>>;

const LETTERS = Object.fromEntries(Object.entries(USES).map(([letter, use]) => [use, letter])) as Readonly<
  Record<CellUse, string>
>;

/** In the order in which people see them. */
export const USED_FOR: readonly UsedFor[] = Object.values(USES).filter((use) => use !== "free");

/** The memory of one member. Sizes are in bytes of device memory and rounded, unless they say otherwise. */
export interface MemorySummary {
  readonly pageBytes: number;
  /** A cell shows what most of so many pages hold. */
  readonly pagesPerCell: number;
  /** One text a slab: see the top of this file. */
  readonly slabs: readonly string[];
  /** Of pages in use. */
  readonly bytesByKind: Readonly<Record<UsedFor, number>>;
  /** What may be taken from the device, exactly; null for no limit. */
  readonly budgetBytes: number | null;
  readonly takenBytes: number;
  readonly usedBytes: number;
  /** What was asked for of the pages in use. */
  readonly requestedBytes: number;
  readonly peakBytes: number;
  /** What the plans hold between inputs and results, and the least that any layout of it could hold. */
  readonly plannedBytes: number;
  readonly boundBytes: number;
  /** In [0, 1], to two digits. */
  readonly fragmentation: number;
  /** Of main memory: what was moved out of the device. */
  readonly hostBytes: number;
  readonly moves: { readonly count: number; readonly bytes: number };
  /** How often each answer to a lack of memory was given. */
  readonly pressure: {
    readonly cachesDropped: number;
    readonly recomputed: number;
    readonly offloaded: number;
    readonly reloaded: number;
    readonly microBatched: number;
  };
  readonly deviceLosses: number;
}

/** The text of a slab's cells. */
export function encodeCells(cells: readonly CellUse[]): string {
  let text = "";
  for (let at = 0; at < cells.length;) {
    const use = cells[at] ?? "free";
    const from = at;
    while (at < cells.length && cells[at] === use) at += 1;
    text += `${at - from > 1 ? at - from : ""}${LETTERS[use]}`;
  }
  return text;
}

/** The cells of a slab's text, or null where it is none, or has more than CELLS_MAX. */
export function decodeCells(text: string): CellUse[] | null {
  if (!/^(?:(?:[1-9]\d{0,2})?[pgoamcx.])*$/.test(text)) return null;
  const cells: CellUse[] = [];
  for (const [, count, letter] of text.matchAll(/(\d*)(\D)/g)) {
    const use = USES[letter as keyof typeof USES];
    for (let left = count === "" ? 1 : Number(count); left > 0; left--) cells.push(use);
    if (cells.length > CELLS_MAX) return null;
  }
  return cells;
}
