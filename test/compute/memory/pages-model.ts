/** What must hold of pages at any time, and memory of plain arrays in which moves can be carried out. */
import { assert, expect } from "vitest";
import {
  GRANULE_BYTES,
  PAGE_BYTES,
  type Allocation,
  type Move,
  type Pages,
} from "../../../src/compute/memory/pages.ts";
import type { MemoryKind } from "../../../src/compute/memory/snapshot.ts";

/** The pages that `live` allocations make up, each checked against all others. */
export function checkPlaces(pages: Pages, live: ReadonlySet<Allocation>): void {
  const slabBytes = new Map([...pages.slabs()].map(({ id, bytes }) => [id, bytes]));
  const granules = new Set<number>();
  const kindsOfPages = new Map<string, MemoryKind | "whole">();
  for (const allocation of live) {
    const { bytes, kind, slab, offset, sizeBytes } = allocation;
    expect(offset % GRANULE_BYTES).toBe(0);
    expect(sizeBytes).toBeGreaterThanOrEqual(Math.max(bytes, 4));
    expect(sizeBytes - bytes).toBeLessThan(sizeBytes < PAGE_BYTES ? GRANULE_BYTES + 1 : PAGE_BYTES);
    expect(offset + sizeBytes).toBeLessThanOrEqual(slabBytes.get(slab) ?? 0);
    for (let at = offset; at < offset + sizeBytes; at += GRANULE_BYTES) {
      const granule = slab * 2 ** 32 + at;
      assert(!granules.has(granule), `two allocations at ${granule}`);
      granules.add(granule);
      const page = `${slab} ${Math.floor(at / PAGE_BYTES)}`;
      const use = sizeBytes < PAGE_BYTES ? kind : "whole";
      assert((kindsOfPages.get(page) ?? use) === use, `${use} in a page of ${kindsOfPages.get(page)}`);
      kindsOfPages.set(page, use);
    }
  }
  const takenBytes = [...slabBytes.values()].reduce((sum, bytes) => sum + bytes, 0);
  expect(pages.usedBytes).toBe(kindsOfPages.size * PAGE_BYTES);
  expect(pages.freeBytes).toBe(takenBytes - pages.usedBytes);
  expect(pages.requestedBytes).toBe([...live].reduce((sum, { bytes }) => sum + bytes, 0));
  const listed = [...pages.allocations()];
  expect(listed).toHaveLength(live.size);
  assert(listed.every((allocation) => live.has(allocation)), "an allocation that is not live is listed"); // prettier-ignore
}

/** Slabs with a word for each granule. */
export class Memory {
  readonly #slabs = new Map<number, Int32Array>();

  constructor(pages: Pages) {
    for (const { id, bytes } of pages.slabs()) this.#slabs.set(id, new Int32Array(bytes / GRANULE_BYTES));
  }

  fill({ slab, offset, bytes }: Allocation, value: number): void {
    const start = offset / GRANULE_BYTES;
    this.#slab(slab).fill(value, start, start + Math.max(1, Math.ceil(bytes / GRANULE_BYTES)));
  }

  /** The words of an allocation, each once. */
  valuesOf({ slab, offset, bytes }: Allocation): number[] {
    const start = offset / GRANULE_BYTES;
    return [...new Set(this.#slab(slab).slice(start, start + Math.max(1, Math.ceil(bytes / GRANULE_BYTES))))];
  }

  /** Copies upward, granule by granule, as an executor may. */
  copy({ fromSlab, fromOffset, toSlab, toOffset, bytes }: Move): void {
    const from = this.#slab(fromSlab);
    const to = this.#slab(toSlab);
    for (let at = 0; at < bytes; at += GRANULE_BYTES) {
      to[(toOffset + at) / GRANULE_BYTES] = from[(fromOffset + at) / GRANULE_BYTES] ?? -1;
    }
  }

  #slab(id: number): Int32Array {
    const slab = this.#slabs.get(id);
    expect(slab).toBeDefined();
    return slab ?? new Int32Array(0);
  }
}
