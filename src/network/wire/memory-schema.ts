/** What a memory summary may be when it comes from strangers. */
import * as v from "valibot";
import { CELLS_MAX, SLABS_MAX, decodeCells, type MemorySummary } from "./memory-summary.ts";
import { amount, list, text, word, type Schema } from "./schemas.ts";

const slabs: Schema<string[]> = v.pipe(
  list(text(CELLS_MAX), SLABS_MAX),
  v.check((texts) => hasCells(texts), `at most ${CELLS_MAX} cells`),
);

/** True when every text is a slab's, and together they have no more cells than there may be. */
function hasCells(texts: readonly string[]): boolean {
  let count = 0;
  for (const text of texts) {
    const cells = decodeCells(text);
    if (!cells) return false;
    count += cells.length;
  }
  return count <= CELLS_MAX;
}

/** A summary with bounds on every length and number. */
export const memorySummary: Schema<MemorySummary> = v.object({
  pageBytes: amount,
  pagesPerCell: word,
  slabs,
  bytesByKind: v.object({
    parameters: amount,
    gradients: amount,
    optimizer: amount,
    activations: amount,
    communication: amount,
    cache: amount,
    other: amount,
  }),
  budgetBytes: v.nullable(amount),
  takenBytes: amount,
  usedBytes: amount,
  requestedBytes: amount,
  peakBytes: amount,
  plannedBytes: amount,
  boundBytes: amount,
  fragmentation: v.pipe(v.number(), v.minValue(0), v.maxValue(1)),
  hostBytes: amount,
  moves: v.object({ count: word, bytes: amount }),
  pressure: v.object({
    cachesDropped: word,
    recomputed: word,
    offloaded: word,
    reloaded: word,
    microBatched: word,
  }),
  deviceLosses: word,
});
