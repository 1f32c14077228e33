/**
 * Device memory in pages: a few slabs, whose pages tensors get in runs and small tensors share. Pure bookkeeping: slabs
 * are numbers here, and whoever calls makes, copies and ends the memory that they stand for.
 *
 * Taking finds the shortest run that is long enough (`runs.ts`). An allocation of 63 granules or less lies in a page with
 * others of its kind; all else has pages of its own.
 */
import { assert } from "../../base/assert.ts";
import { GRANULE_BYTES, GRANULES, PAGE_BYTES, WholePages, type Allocation } from "./allocation.ts";
import { planCompaction, planEvacuation, planGathering, type Move } from "./compaction.ts";
import { PageTable } from "./page-table.ts";
import { Part, SharedPages } from "./shared-pages.ts";
import { MEMORY_KINDS, type MemoryKind, type SlabSnapshot } from "./snapshot.ts";

export { GRANULE_BYTES, PAGE_BYTES, type Allocation } from "./allocation.ts";
export type { Move } from "./compaction.ts";

/** Pages of a device. See the top of this file. */
export class Pages {
  readonly #table = new PageTable();
  readonly #shared: Readonly<Record<MemoryKind, SharedPages>>;
  #slabPages = 0;
  #requestedBytes = 0;

  constructor() {
    this.#shared = recordOfKinds((kind) => new SharedPages(kind));
  }

  /** Bytes that no page in use has. */
  get freeBytes(): number {
    return this.#table.freePages * PAGE_BYTES;
  }

  /** Of pages in use. */
  get usedBytes(): number {
    return (this.#slabPages - this.#table.freePages) * PAGE_BYTES;
  }

  /** What was asked for of the pages in use. */
  get requestedBytes(): number {
    return this.#requestedBytes;
  }

  /** Of the longest run of free pages. */
  get largestFreeBytes(): number {
    return this.#table.largestFreePages * PAGE_BYTES;
  }

  /** 1 - (free pages in the longest run of their slab) / (free pages); 0 when nothing is free. Looks at every run. */
  get fragmentation(): number {
    if (this.#table.freePages === 0) return 0;
    let together = 0;
    for (const slab of this.#table.slabs) {
      let longest = 0;
      for (const { pages, holding } of this.#table.runsOf(slab)) if (!holding) longest = Math.max(longest, pages);
      together += longest;
    }
    return 1 - together / this.#table.freePages;
  }

  /** Adds a slab, all free: its id, which no other slab had. */
  addSlab(bytes: number): number {
    const pages = bytes / PAGE_BYTES;
    assert(Number.isInteger(pages) && pages >= 1, `Pages.addSlab: expected bytes in whole pages, found ${bytes}`);
    this.#slabPages += pages;
    return this.#table.addSlab(pages);
  }

  /** Takes a slab out, which must be empty. */
  removeSlab(slab: number): void {
    const pages = this.#table.pagesOf(slab);
    this.#table.removeSlab(slab);
    this.#slabPages -= pages;
  }

  /** Memory of at least `bytes`, and of at least 4; undefined when no run of free pages is long enough. */
  take(bytes: number, kind: MemoryKind): Allocation | undefined {
    const isSize = Number.isSafeInteger(bytes) && bytes >= 0;
    if (!isSize) assert(false, `Pages.take: expected a number of bytes, found ${bytes}`);
    const granules = Math.max(1, Math.ceil(bytes / GRANULE_BYTES));
    const allocation = granules < GRANULES ? this.#takePart(bytes, granules, kind) : this.#takePages(bytes, kind);
    if (allocation !== undefined) this.#requestedBytes += bytes;
    return allocation;
  }

  give(allocation: Allocation): void {
    if (allocation instanceof Part) this.#givePart(allocation);
    else {
      const isOurs = allocation instanceof WholePages && this.#table.isHeld(allocation);
      if (!isOurs)
        assert(false, `Pages.give: expected an allocation, found one of ${allocation.bytes} bytes that was given back`);
      this.#table.release(allocation);
    }
    this.#requestedBytes -= allocation.bytes;
  }

  /**
   * Brings free pages together until a run of `wantedBytes` is free, or as far as moves of `bytesMax` in all go. The
   * allocations are in their new places at once: whoever calls copies the bytes, in the order given.
   */
  compact(wantedBytes: number, bytesMax: number): Move[] {
    return planCompaction(this.#table, Math.max(1, Math.ceil(wantedBytes / PAGE_BYTES)), bytesMax);
  }

  /**
   * Moves what is in `slab` to the others, the largest first, as far as there is room and `bytesMax` goes, bringing their
   * free pages together where they lie apart. Otherwise like `compact`.
   */
  empty(slab: number, bytesMax: number): Move[] {
    const moves: Move[] = [];
    const sizes = [...this.#table.runsOf(slab)].flatMap(({ holding, pages }) => (holding ? [pages] : []));
    for (const pages of sizes.sort((a, b) => b - a)) {
      const leftBytes = moves.reduce((left, { bytes }) => left - bytes, bytesMax);
      moves.push(...planGathering(this.#table, pages, leftBytes, slab));
      moves.push(...planEvacuation(this.#table, slab, leftBytes));
    }
    return moves;
  }

  /** In the order of their places. */
  *allocations(): Generator<Allocation, void> {
    for (const slab of this.#table.slabs) {
      for (const { holding } of this.#table.runsOf(slab)) if (holding) yield* holding.allocations;
    }
  }

  isSlabEmpty(slab: number): boolean {
    const { done, value } = this.#table.runsOf(slab).next();
    return done !== true && value.holding === undefined && value.pages === this.#table.pagesOf(slab);
  }

  /** Oldest first. */
  *slabs(): Generator<{ readonly id: number; readonly bytes: number; readonly freeBytes: number }, void> {
    for (const id of this.#table.slabs) {
      let free = 0;
      for (const { pages, holding } of this.#table.runsOf(id)) if (!holding) free += pages;
      yield { id, bytes: this.#table.pagesOf(id) * PAGE_BYTES, freeBytes: free * PAGE_BYTES };
    }
  }

  /** What each page holds. A shared page has the kind of its first allocation. */
  snapshot(): { slabs: readonly SlabSnapshot[]; bytesByKind: Record<MemoryKind, number> } {
    const bytesByKind = recordOfKinds(() => 0);
    const slabs = this.#table.slabs.map((slab) => {
      const pages: (MemoryKind | null)[] = [];
      for (const run of this.#table.runsOf(slab)) {
        const kind = run.holding?.allocations[0]?.kind ?? null;
        if (kind !== null) bytesByKind[kind] += run.pages * PAGE_BYTES;
        for (let page = 0; page < run.pages; page++) pages.push(kind);
      }
      return { pages };
    });
    return { slabs, bytesByKind };
  }

  #takePages(bytes: number, kind: MemoryKind): Allocation | undefined {
    const whole = new WholePages(bytes, kind, Math.ceil(bytes / PAGE_BYTES));
    return this.#table.hold(whole) ? whole : undefined;
  }

  #takePart(bytes: number, granules: number, kind: MemoryKind): Allocation | undefined {
    const shared = this.#shared[kind];
    const part = shared.take(bytes, granules);
    if (part !== undefined) return part;
    const page = shared.addPage();
    if (this.#table.hold(page)) return shared.take(bytes, granules);
    shared.removePage(page);
    return undefined;
  }

  #givePart(part: Part): void {
    const { shared } = part;
    assert(this.#shared[shared.among.kind] === shared.among, "Pages.give: expected an allocation, found another's");
    shared.among.give(part);
    if (!shared.isEmpty) return;
    this.#table.release(shared);
    shared.among.removePage(shared);
  }
}

function recordOfKinds<T>(make: (kind: MemoryKind) => T): Record<MemoryKind, T> {
  return Object.fromEntries(MEMORY_KINDS.map((kind) => [kind, make(kind)])) as Record<MemoryKind, T>;
}
