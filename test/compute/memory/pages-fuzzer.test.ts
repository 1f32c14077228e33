/** A million operations against a simple model: a byte of its own for every granule there is. */
import { assert, expect, test } from "vitest";
import { Random } from "../../../src/base/random.ts";
import { GRANULE_BYTES, PAGE_BYTES, Pages, type Allocation } from "../../../src/compute/memory/pages.ts";
import type { MemoryKind } from "../../../src/compute/memory/snapshot.ts";

const OPERATIONS = 1_000_000;
const SLAB_BYTES = 256 * PAGE_BYTES;
const GRANULES_A_PAGE = PAGE_BYTES / GRANULE_BYTES;
const KINDS: readonly MemoryKind[] = ["parameters", "activations", "cache", "other"];

class Model {
  readonly pages = new Pages();
  readonly live: Allocation[] = [];
  /** By slab: 1 where a granule is taken. */
  readonly granules: Uint8Array[] = [];
  requestedBytes = 0;

  constructor(slabs: number) {
    for (let slab = 0; slab < slabs; slab++) {
      this.pages.addSlab(SLAB_BYTES);
      this.granules.push(new Uint8Array(SLAB_BYTES / GRANULE_BYTES));
    }
  }

  take(bytes: number, kind: MemoryKind): void {
    const allocation = this.pages.take(bytes, kind);
    if (allocation === undefined) {
      assert(this.pages.largestFreeBytes < Math.max(1, bytes), `no room for ${bytes} bytes, where there is room`);
      return;
    }
    this.#mark(allocation, 0, 1);
    this.live.push(allocation);
    this.requestedBytes += bytes;
  }

  give(which: number): void {
    const allocation = this.live[which];
    const last = this.live.pop();
    if (allocation === undefined || last === undefined) return;
    if (allocation !== last) this.live[which] = last;
    this.#mark(allocation, 1, 0);
    this.pages.give(allocation);
    this.requestedBytes -= allocation.bytes;
  }

  /** All of a slab's granules belong to somebody after moves too. */
  compact(random: Random): void {
    const wantedBytes = random.below(64) * PAGE_BYTES;
    const moves = random.uniform() < 0.5 ? this.pages.compact(wantedBytes, 2 ** 20) : this.pages.empty(0, 2 ** 20);
    if (moves.length === 0) return;
    for (const granules of this.granules) granules.fill(0);
    for (const allocation of this.live) this.#mark(allocation, 0, 1);
  }

  check(): void {
    let used = 0;
    for (const granules of this.granules) {
      for (let page = 0; page < granules.length; page += GRANULES_A_PAGE) {
        if (granules.subarray(page, page + GRANULES_A_PAGE).includes(1)) used++;
      }
    }
    expect(this.pages.usedBytes).toBe(used * PAGE_BYTES);
    expect(this.pages.requestedBytes).toBe(this.requestedBytes);
    expect([...this.pages.allocations()]).toHaveLength(this.live.length);
  }

  #mark({ slab, offset, sizeBytes }: Allocation, before: number, after: number): void {
    const granules = this.granules[slab] ?? new Uint8Array(0);
    const start = offset / GRANULE_BYTES;
    const end = start + sizeBytes / GRANULE_BYTES;
    assert(end <= granules.length, `an allocation ends with granule ${end} of ${granules.length}`);
    for (let granule = start; granule < end; granule++) {
      if (granules[granule] !== before) assert(false, `granule ${granule} of slab ${slab} is not ${before}`);
      granules[granule] = after;
    }
  }
}

/** Small ones most often. */
function randomBytes(random: Random): number {
  return random.below(2 ** (4 + random.below(16)));
}

test("a million operations leave what a simple model has", () => {
  const random = new Random("pages fuzzer", 1);
  const model = new Model(4);
  for (let operation = 0; operation < OPERATIONS; operation++) {
    // Fills up, and empties again.
    const takes = operation % 100_000 < 60_000 ? 0.6 : 0.4;
    if (random.uniform() < takes) model.take(randomBytes(random), KINDS[random.below(KINDS.length)] ?? "other");
    else model.give(random.below(Math.max(1, model.live.length)));
    if (operation % 2000 === 0) model.compact(random);
    if (operation % 10_000 === 0) model.check();
  }
  while (model.live.length > 0) model.give(random.below(model.live.length));
  model.check();
  expect([...model.pages.slabs()].every(({ id }) => model.pages.isSlabEmpty(id))).toBe(true);
}, 120_000);
