/**
 * The memory of one device under a budget: slabs, cut into pages (`memory/pages.ts`), and what may be given up again.
 *
 * Nothing is taken from the device beyond the budget. Two kinds of slabs: large ones for arrays, which kernels may bind
 * whole, and small ones for the tables of packed kernels, which must not lie in a buffer that is bound whole beside them.
 * What plans hold between inputs and results is *scratch*: its content is dead between runs, and runs come one after
 * another, so all plans share the blocks of the one that needs most.
 */
import { present } from "../../base/assert.ts";
import { UnsupportedError } from "../../base/errors.ts";
import type { Command, Device, DeviceBuffer } from "../device/device.ts";
import { PAGE_BYTES, Pages, type Allocation, type Move } from "../memory/pages.ts";
import type { MemoryKind } from "../memory/snapshot.ts";

/** Of a slab for arrays: an eighth of the budget within these, or all of a small budget. */
const SLAB_BYTES_MIN = 64 * 2 ** 20;
const SLAB_BYTES_MAX = 256 * 2 ** 20;
const TABLE_SLAB_BYTES = 2 * PAGE_BYTES;
/** Free slabs beyond this much are given back to the device. */
const IDLE_BYTES_MAX = 256 * 2 ** 20;

export class DeviceMemory {
  readonly #device: Device;
  readonly #arrays = new Pages();
  readonly #tables = new Pages();
  readonly #buffers = { arrays: new Map<number, DeviceBuffer>(), tables: new Map<number, DeviceBuffer>() };
  /** Parts of slabs by allocation, while it stays where it is. */
  readonly #parts = new WeakMap<Allocation, DeviceBuffer>();
  readonly #isTable = new WeakSet<Allocation>();
  #scratch: readonly Allocation[] = [];
  #budgetBytes: number;
  #takenBytes = 0;
  /** For arrays, with what was taken before it. */
  #newestSlab = { before: 0, bytes: 0 };
  #peakBytes = 0;
  #movedCount = 0;
  #movedBytes = 0;
  /** True since a slab was taken although enough was free, but not together. */
  isScattered = false;
  /** Changes when anything moves that a recording may have bound. */
  generation = 0;

  constructor(device: Device, budgetBytes: number) {
    this.#device = device;
    this.#budgetBytes = budgetBytes;
  }

  get budgetBytes(): number {
    return this.#budgetBytes;
  }

  /** Lowering it gives nothing back by itself: see `overBytes`. */
  set budgetBytes(bytes: number) {
    this.#budgetBytes = bytes;
  }

  /** What is taken beyond the budget, since it was lowered. */
  get overBytes(): number {
    return Math.max(0, this.#takenBytes - this.#budgetBytes);
  }

  /** What may be taken if the slab for arrays that was taken last was too much: all before it, or half of a first one. */
  get bytesBeforeNewest(): number {
    const { before, bytes } = this.#newestSlab;
    return before > TABLE_SLAB_BYTES ? before : Math.floor(bytes / 2);
  }

  /** Of slabs. */
  get takenBytes(): number {
    return this.#takenBytes;
  }

  /** Of pages in use. */
  get usedBytes(): number {
    return this.#arrays.usedBytes + this.#tables.usedBytes;
  }

  /** Asked for by what lives now, scratch left out. */
  get liveBytes(): number {
    return this.#arrays.requestedBytes + this.#tables.requestedBytes - this.scratchBytes;
  }

  get scratchBytes(): number {
    return this.#scratch.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** The most that `usedBytes` came to. */
  get peakBytes(): number {
    return this.#peakBytes;
  }

  get moved(): { readonly count: number; readonly bytes: number } {
    return { count: this.#movedCount, bytes: this.#movedBytes };
  }

  /** Of the slabs for tables, which there is one of as soon as anything is compiled. */
  get tableSlabBytes(): number {
    const taken = [...this.#buffers.tables.values()].reduce((sum, { bytes }) => sum + bytes, 0);
    return Math.max(TABLE_SLAB_BYTES, taken);
  }

  /** Pages of arrays, to look at. */
  get pages(): Pages {
    return this.#arrays;
  }

  /** The most that one array may take, whatever is free. */
  get arrayBytesMax(): number {
    const { bufferBytesMax, bindingBytesMax } = this.#device.info.limits;
    return Math.min(bufferBytesMax, bindingBytesMax);
  }

  /** Bytes that could be taken in one run: of the largest free one, or of a slab that the budget still allows. */
  get largestRoomBytes(): number {
    const room = Math.floor((this.#budgetBytes - this.#takenBytes) / PAGE_BYTES) * PAGE_BYTES;
    return Math.max(this.#arrays.largestFreeBytes, Math.min(Math.max(0, room), this.arrayBytesMax));
  }

  /** Free pages and what the budget still allows, wherever it is. */
  get roomBytes(): number {
    return this.#arrays.freeBytes + Math.max(0, this.#budgetBytes - this.#takenBytes);
  }

  /** Memory with anything in it; undefined where the budget has no room. @throws UnsupportedError beyond the device's limits */
  take(bytes: number, kind: MemoryKind): Allocation | undefined {
    this.#checkSize(bytes);
    const allocation = this.#arrays.take(bytes, kind) ?? this.#takeOfNewSlab(bytes, kind);
    this.#notePeak();
    return allocation;
  }

  /** Memory for the table of a packed kernel. */
  takeTable(bytes: number): Allocation | undefined {
    let table = this.#tables.take(bytes, "cache");
    if (table === undefined) {
      const slabBytes = Math.max(TABLE_SLAB_BYTES, wholePages(bytes));
      if (slabBytes > this.#budgetBytes - this.#takenBytes) return undefined;
      this.#addSlab("tables", slabBytes);
      table = present(this.#tables.take(bytes, "cache"), "DeviceMemory: a table in an empty slab");
    }
    this.#isTable.add(table);
    this.#notePeak();
    return table;
  }

  /** Gives memory back; commands submitted so far may still use it, since later ones run after them. */
  give(allocation: Allocation): void {
    this.#parts.delete(allocation);
    const region = this.#isTable.has(allocation) ? "tables" : "arrays";
    const pages = region === "tables" ? this.#tables : this.#arrays;
    pages.give(allocation);
    const { slab } = allocation;
    if (pages.freeBytes > IDLE_BYTES_MAX && pages.isSlabEmpty(slab)) this.#removeSlab(region, slab);
  }

  bufferOf(allocation: Allocation): DeviceBuffer {
    const known = this.#parts.get(allocation);
    if (known !== undefined) return known;
    const buffers = this.#isTable.has(allocation) ? this.#buffers.tables : this.#buffers.arrays;
    const slab = present(buffers.get(allocation.slab), "DeviceMemory: the slab of an allocation");
    const part = slab.part(allocation.offset, Math.max(4, Math.ceil(allocation.bytes / 4) * 4));
    this.#parts.set(allocation, part);
    return part;
  }

  /**
   * Blocks of at least these sizes, shared with whoever else asks: what is in them is anything when a run begins.
   * Undefined where there is no room, also without what only others need.
   */
  reserveScratch(blockBytes: readonly number[]): readonly DeviceBuffer[] | undefined {
    const isEnough = blockBytes.every((bytes, i) => bytes <= (this.#scratch[i]?.bytes ?? 0));
    if (!isEnough) {
      const before = this.#scratch.map(({ bytes }) => bytes);
      this.dropScratch();
      const most = Array.from({ length: Math.max(before.length, blockBytes.length) }, (_, i) =>
        Math.max(before[i] ?? 0, blockBytes[i] ?? 0),
      );
      this.#scratch = this.#takeAll(most) ?? this.#takeAll(blockBytes) ?? [];
      if (this.#scratch.length < blockBytes.length) return undefined;
    }
    return blockBytes.map((_, i) => this.bufferOf(present(this.#scratch[i], "DeviceMemory: a block")));
  }

  /** Gives up the scratch of all plans: they ask for it again when they run. */
  dropScratch(): void {
    if (this.#scratch.length === 0) return;
    this.generation += 1;
    for (const block of this.#scratch) this.give(block);
    this.#scratch = [];
  }

  /** Gives slabs without anything in them back to the device. How many. */
  dropIdleSlabs(): number {
    let dropped = 0;
    for (const region of ["arrays", "tables"] as const) {
      const pages = region === "arrays" ? this.#arrays : this.#tables;
      for (const { id } of [...pages.slabs()]) {
        if (!pages.isSlabEmpty(id)) continue;
        this.#removeSlab(region, id);
        dropped += 1;
      }
    }
    return dropped;
  }

  /** Moves arrays so that a run of `wantedBytes` is free, as far as `bytesMax` goes: the copies to submit. */
  compact(wantedBytes: number, bytesMax: number): Command[] {
    return this.#commandsOf(this.#arrays.compact(wantedBytes, bytesMax));
  }

  /** Moves what is in `slab` to others, as far as there is room: the copies to submit. */
  empty(slab: number, bytesMax: number): Command[] {
    return this.#commandsOf(this.#arrays.empty(slab, bytesMax));
  }

  /** Frees all slabs. */
  destroy(): void {
    for (const buffers of Object.values(this.#buffers)) for (const buffer of buffers.values()) buffer.destroy();
    this.#buffers.arrays.clear();
    this.#buffers.tables.clear();
    this.#takenBytes = 0;
  }

  #takeAll(blockBytes: readonly number[]): Allocation[] | undefined {
    const taken: Allocation[] = [];
    for (const bytes of blockBytes) {
      const block = this.take(bytes, "activations");
      if (block === undefined) {
        for (const other of taken) this.give(other);
        return undefined;
      }
      taken.push(block);
    }
    return taken;
  }

  #takeOfNewSlab(bytes: number, kind: MemoryKind): Allocation | undefined {
    const room = Math.min(
      Math.floor((this.#budgetBytes - this.#takenBytes) / PAGE_BYTES) * PAGE_BYTES,
      Math.floor(this.arrayBytesMax / PAGE_BYTES) * PAGE_BYTES,
    );
    const needed = wholePages(bytes);
    if (needed > room) return undefined;
    if (this.#arrays.freeBytes >= needed) this.isScattered = true;
    this.#addSlab("arrays", Math.max(needed, Math.min(room, this.#slabBytes())));
    return present(this.#arrays.take(bytes, kind), "DeviceMemory: an array in an empty slab");
  }

  /** Of the next slab: a small budget is one slab, so that nothing is lost between slabs. */
  #slabBytes(): number {
    const budget = this.#budgetBytes;
    if (budget <= SLAB_BYTES_MIN) return Math.floor(budget / PAGE_BYTES) * PAGE_BYTES - TABLE_SLAB_BYTES;
    const share = Number.isFinite(budget) ? wholePages(budget / 8) : SLAB_BYTES_MIN;
    return Math.min(SLAB_BYTES_MAX, Math.max(SLAB_BYTES_MIN, share));
  }

  #addSlab(region: "arrays" | "tables", bytes: number): void {
    const buffer = this.#device.createBuffer(bytes);
    const pages = region === "arrays" ? this.#arrays : this.#tables;
    this.#buffers[region].set(pages.addSlab(bytes), buffer);
    if (region === "arrays") this.#newestSlab = { before: this.#takenBytes, bytes };
    this.#takenBytes += bytes;
  }

  #removeSlab(region: "arrays" | "tables", slab: number): void {
    const buffer = present(this.#buffers[region].get(slab), "DeviceMemory: a slab");
    (region === "arrays" ? this.#arrays : this.#tables).removeSlab(slab);
    this.#buffers[region].delete(slab);
    this.#takenBytes -= buffer.bytes;
    buffer.destroy();
  }

  #commandsOf(moves: readonly Move[]): Command[] {
    if (moves.length > 0) this.generation += 1;
    return moves.map(({ allocation, fromSlab, fromOffset, toSlab, toOffset, bytes }) => {
      this.#parts.delete(allocation);
      this.#movedCount += 1;
      this.#movedBytes += bytes;
      const source = present(this.#buffers.arrays.get(fromSlab), "DeviceMemory: a slab to move from");
      const target = present(this.#buffers.arrays.get(toSlab), "DeviceMemory: a slab to move to");
      return { kind: "copy", source, sourceOffset: fromOffset, target, targetOffset: toOffset, bytes };
    });
  }

  #notePeak(): void {
    this.#peakBytes = Math.max(this.#peakBytes, this.usedBytes);
  }

  #checkSize(bytes: number): void {
    if (bytes <= this.arrayBytesMax) return;
    throw new UnsupportedError(
      `memory: expected an array of at most ${this.arrayBytesMax} bytes, the most that ${this.#device.info.name} can bind, found ${bytes}: ` +
        `cut it into ${Math.ceil(bytes / this.arrayBytesMax)} parts`,
    );
  }
}

function wholePages(bytes: number): number {
  return Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES;
}
