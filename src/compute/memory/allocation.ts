/** What a piece of device memory is to those who asked for it, and to those who know its page. */
import type { MemoryKind } from "./snapshot.ts";

/** A page: what slabs are cut into. */
export const PAGE_BYTES = 16_384;
/** Allocations begin at its multiples, as bindings have to. */
export const GRANULE_BYTES = 256;
/** Of a page. */
export const GRANULES: number = PAGE_BYTES / GRANULE_BYTES;

/** A piece of device memory that is somebody's. Its place changes when memory is compacted, and then alone. */
export interface Allocation {
  /** As asked for. */
  readonly bytes: number;
  /** What it is used for. May be set anew at any time; its page stays what it is. */
  kind: MemoryKind;
  readonly slab: number;
  /** In bytes from the start of the slab, a multiple of `GRANULE_BYTES`. */
  readonly offset: number;
  /** What it takes up: granules of a page, or whole pages. */
  readonly sizeBytes: number;
}

/** A run of pages and what is in it: one allocation, or several small ones that share a page. */
export interface Holding {
  /** The first page, in the numbers of `PageTable`. */
  readonly page: number;
  readonly pages: number;
  readonly slab: number;
  readonly offset: number;
  /** In the order of their places. */
  readonly allocations: readonly Allocation[];
  /** Says where the run is from now on. */
  settle(page: number, slab: number, offset: number): void;
}

/** An allocation that has pages of its own. */
export class WholePages implements Allocation, Holding {
  readonly bytes: number;
  kind: MemoryKind;
  readonly pages: number;
  page = -1;
  slab = -1;
  offset = -1;

  constructor(bytes: number, kind: MemoryKind, pages: number) {
    this.bytes = bytes;
    this.kind = kind;
    this.pages = pages;
  }

  get sizeBytes(): number {
    return this.pages * PAGE_BYTES;
  }

  get allocations(): readonly Allocation[] {
    return [this];
  }

  settle(page: number, slab: number, offset: number): void {
    this.page = page;
    this.slab = slab;
    this.offset = offset;
  }
}
