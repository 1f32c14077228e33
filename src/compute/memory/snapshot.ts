/** What a runtime's memory looks like at one moment: plain data, for people and for tests. */

/** What a page is used for. Small arrays share pages with others of their kind. */
export const MEMORY_KINDS = [
  "parameters",
  "gradients",
  "optimizer",
  "activations",
  "communication",
  "cache",
  "other",
] as const;

/** What memory is used for. `other`: tensors that are neither of a model nor of its optimizer. */
export type MemoryKind = (typeof MEMORY_KINDS)[number];

/** A piece of device memory, cut into pages. */
export interface SlabSnapshot {
  /** For each page in order, what it holds; null for a free one. */
  readonly pages: readonly (MemoryKind | null)[];
}

/** How often each answer to a lack of memory was given; see `docs/memory.md`. */
export interface PressureCounts {
  /** Idle slabs and plans given up. */
  readonly cachesDropped: number;
  /** Kernels that plans run once more instead of keeping their results. */
  readonly recomputed: number;
  /** Arrays moved to main memory. */
  readonly offloaded: number;
  /** Arrays moved back. */
  readonly reloaded: number;
  /** Times that a function was cut into smaller micro-batches. */
  readonly microBatched: number;
}

/** See the top of this file. All sizes are in bytes of device memory unless they say otherwise. */
export interface MemorySnapshot {
  readonly pageBytes: number;
  readonly slabs: readonly SlabSnapshot[];
  /** Of pages in use. */
  readonly bytesByKind: Readonly<Record<MemoryKind, number>>;
  /** What may be taken from the device; null for no limit. */
  readonly budgetBytes: number | null;
  /** Taken from the device: slabs, in use or free. */
  readonly takenBytes: number;
  /** Of pages in use. */
  readonly usedBytes: number;
  /** What was asked for of those pages: the rest is rounding. */
  readonly requestedBytes: number;
  /** The most that `usedBytes` came to. */
  readonly peakBytes: number;
  /** What the plans hold for values between inputs and results, and the least that any layout of them could hold. */
  readonly plannedBytes: number;
  readonly boundBytes: number;
  /** 0 when all free pages are in one run a slab; near 1 when none of them are neighbours. */
  readonly fragmentation: number;
  /** Of main memory: what was moved out of device memory. */
  readonly hostBytes: number;
  /** Arrays that were moved within device memory so that free pages lie together, and their bytes. */
  readonly moves: { readonly count: number; readonly bytes: number };
  readonly pressure: PressureCounts;
  /** Devices lost and replaced so far. */
  readonly deviceLosses: number;
}
