/** Pages that small allocations of one kind share, cut into granules. */
import { assert } from "../../base/assert.ts";
import { GRANULE_BYTES, GRANULES, type Allocation, type Holding } from "./allocation.ts";
import { Runs } from "./runs.ts";
import type { MemoryKind } from "./snapshot.ts";

/** A small allocation: granules of a page that it may share. */
export class Part implements Allocation {
  readonly bytes: number;
  kind: MemoryKind;
  readonly shared: SharedPage;
  /** Of the page. */
  readonly granule: number;
  readonly granules: number;

  constructor(bytes: number, kind: MemoryKind, shared: SharedPage, granule: number, granules: number) {
    this.bytes = bytes;
    this.kind = kind;
    this.shared = shared;
    this.granule = granule;
    this.granules = granules;
  }

  get slab(): number {
    return this.shared.slab;
  }

  get offset(): number {
    return this.shared.offset + this.granule * GRANULE_BYTES;
  }

  get sizeBytes(): number {
    return this.granules * GRANULE_BYTES;
  }
}

export class SharedPage implements Holding {
  readonly pages = 1;
  /** The pages that it is one of. */
  readonly among: SharedPages;
  /** The first granule, in the numbers of `among`. */
  readonly firstGranule: number;
  page = -1;
  slab = -1;
  offset = -1;
  /** By granule. */
  readonly #parts: (Part | undefined)[] = new Array<Part | undefined>(GRANULES).fill(undefined);
  #count = 0;

  constructor(among: SharedPages, firstGranule: number) {
    this.among = among;
    this.firstGranule = firstGranule;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  get allocations(): readonly Part[] {
    return this.#parts.filter((part) => part !== undefined);
  }

  has(part: Part): boolean {
    return this.#parts[part.granule] === part;
  }

  put(part: Part): void {
    this.#parts[part.granule] = part;
    this.#count++;
  }

  drop(part: Part): void {
    this.#parts[part.granule] = undefined;
    this.#count--;
  }

  settle(page: number, slab: number, offset: number): void {
    this.page = page;
    this.slab = slab;
    this.offset = offset;
  }
}

export class SharedPages {
  readonly kind: MemoryKind;
  readonly #runs = new Runs();
  /** By the first granule, of which each page has as many. */
  readonly #pages: (SharedPage | undefined)[] = [];

  constructor(kind: MemoryKind) {
    this.kind = kind;
  }

  /** A page without allocations; the caller finds a place for it. */
  addPage(): SharedPage {
    const firstGranule = this.#runs.addSpan(GRANULES);
    const page = new SharedPage(this, firstGranule);
    this.#pages[firstGranule / GRANULES] = page;
    return page;
  }

  /** Forgets a page without allocations. */
  removePage({ firstGranule }: SharedPage): void {
    this.#runs.removeSpan(firstGranule);
    this.#pages[firstGranule / GRANULES] = undefined;
  }

  /** Undefined when no page has room. */
  take(bytes: number, granules: number): Part | undefined {
    const start = this.#runs.take(granules);
    if (start === undefined) return undefined;
    const granule = start % GRANULES;
    const page = this.#pages[(start - granule) / GRANULES];
    assert(page !== undefined, "SharedPages.take: the page of a granule is missing");
    const part = new Part(bytes, this.kind, page, granule, granules);
    page.put(part);
    return part;
  }

  give(part: Part): void {
    assert(part.shared.has(part), "SharedPages.give: expected an allocation, found one that was given back");
    this.#runs.give(part.shared.firstGranule + part.granule);
    part.shared.drop(part);
  }
}
