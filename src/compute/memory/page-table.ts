/** The pages of all slabs: which are free, and what holds the others. */
import { assert, present } from "../../base/assert.ts";
import { PAGE_BYTES, type Holding } from "./allocation.ts";
import { Runs } from "./runs.ts";

/** Pages are numbered through all slabs. */
interface Slab {
  readonly id: number;
  readonly firstPage: number;
  readonly pages: number;
}

/** A holding that is elsewhere now, and where it was. */
export interface Moved {
  readonly holding: Holding;
  readonly fromSlab: number;
  readonly fromOffset: number;
}

/** A run of pages, free where nothing holds it. */
export interface PageRun {
  readonly page: number;
  readonly pages: number;
  readonly holding: Holding | undefined;
}

export class PageTable {
  readonly #runs = new Runs();
  readonly #slabs = new Map<number, Slab>();
  /** By page. */
  readonly #slabAt: (Slab | undefined)[] = [];
  /** By the first page of a run. */
  readonly #holdings: (Holding | undefined)[] = [];
  #slabsMade = 0;

  get freePages(): number {
    return this.#runs.freeUnits;
  }

  get largestFreePages(): number {
    return this.#runs.largestFree;
  }

  /** The ids of slabs, oldest first. */
  get slabs(): readonly number[] {
    return [...this.#slabs.keys()];
  }

  addSlab(pages: number): number {
    const firstPage = this.#runs.addSpan(pages);
    const slab = { id: this.#slabsMade++, firstPage, pages };
    this.#slabs.set(slab.id, slab);
    for (let page = firstPage; page < firstPage + pages; page++) {
      this.#slabAt[page] = slab;
      this.#holdings[page] = undefined;
    }
    return slab.id;
  }

  removeSlab(id: number): void {
    this.#runs.removeSpan(this.#slab(id).firstPage);
    this.#slabs.delete(id);
  }

  pagesOf(id: number): number {
    return this.#slab(id).pages;
  }

  /** False when no run of free pages is long enough. */
  hold(holding: Holding): boolean {
    const page = this.#runs.take(holding.pages);
    if (page === undefined) return false;
    this.#settle(holding, page);
    return true;
  }

  release(holding: Holding): void {
    this.#holdings[holding.page] = undefined;
    this.#runs.give(holding.page);
  }

  isHeld(holding: Holding): boolean {
    return this.#holdings[holding.page] === holding;
  }

  /** The runs of a slab, in order. */
  *runsOf(id: number): Generator<PageRun, void> {
    const { firstPage, pages } = this.#slab(id);
    for (let page = firstPage; page < firstPage + pages; page += this.#runs.sizeAt(page)) {
      yield { page, pages: this.#runs.sizeAt(page), holding: this.#holdings[page] };
    }
  }

  /** Moves what is behind a free run down to the start of that run. */
  slideDown(holding: Holding, freePage: number): Moved {
    const isBehind = this.#runs.isFreeAt(freePage) && freePage + this.#runs.sizeAt(freePage) === holding.page;
    assert(isBehind, `PageTable.slideDown: expected free pages from ${freePage} to ${holding.page}, found others`);
    const { slab, offset } = holding;
    this.release(holding);
    this.#runs.takeAt(freePage, holding.pages);
    this.#settle(holding, freePage);
    return { holding, fromSlab: slab, fromOffset: offset };
  }

  /**
   * Moves holdings to free runs outside of the pages [first, end) that they are among, the largest first: as many as
   * there is room for, or with `allOrNone` none if there is no room for all.
   */
  moveOut(holdings: readonly Holding[], first: number, end: number, allOrNone: boolean): Moved[] {
    const kept = this.#takeFree(first, end);
    const targets: { holding: Holding; page: number }[] = [];
    for (const holding of [...holdings].sort((a, b) => b.pages - a.pages || a.page - b.page)) {
      const page = this.#runs.take(holding.pages);
      if (page !== undefined) targets.push({ holding, page });
    }
    const isGivenUp = allOrNone && targets.length < holdings.length;
    if (isGivenUp) for (const { page } of targets) this.#runs.give(page);
    const moved = isGivenUp ? [] : targets.map(({ holding, page }) => this.#move(holding, page));
    for (const page of kept) this.#runs.give(page);
    return moved;
  }

  /** Takes the free runs that begin in [firstPage, endPage): their first pages. */
  #takeFree(firstPage: number, endPage: number): number[] {
    const taken: number[] = [];
    for (let page = firstPage; page < endPage; page += this.#runs.sizeAt(page)) {
      if (!this.#runs.isFreeAt(page)) continue;
      this.#runs.takeAt(page, this.#runs.sizeAt(page));
      taken.push(page);
    }
    return taken;
  }

  /** To pages that were taken for it. */
  #move(holding: Holding, page: number): Moved {
    const { slab, offset } = holding;
    this.release(holding);
    this.#settle(holding, page);
    return { holding, fromSlab: slab, fromOffset: offset };
  }

  #settle(holding: Holding, page: number): void {
    const slab = this.#slabAt[page];
    assert(slab !== undefined, "PageTable: the slab of a page is missing");
    this.#holdings[page] = holding;
    holding.settle(page, slab.id, (page - slab.firstPage) * PAGE_BYTES);
  }

  #slab(id: number): Slab {
    return present(this.#slabs.get(id), `PageTable: slab ${id}`);
  }
}
