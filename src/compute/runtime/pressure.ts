/**
 * What is done when device memory is short, in this order: caches are dropped and arrays brought together; a plan
 * computes again what it would have kept; arrays move to main memory, first those that nobody uses now. What is still
 * too large is an OutOfMemoryError, which a function that can be cut into micro-batches answers (`tensor/traced-plan.ts`).
 */
import { OutOfMemoryError } from "../../base/errors.ts";
import { fitMemory, type Fit } from "../compiler/fit-memory.ts";
import type { Node } from "../compiler/ir.ts";
import { PART_BYTES, type Command } from "../device/device.ts";
import { PAGE_BYTES, Pages } from "../memory/pages.ts";
import type { PressureCounts } from "../memory/snapshot.ts";
import { layOut } from "./assembly.ts";
import type { DeviceMemory } from "./device-memory.ts";
import { bytesOfNode, type Leaves } from "./leaves.ts";
import type { Placed, Program } from "./program.ts";

/** An answer to a lack of memory that may be forbidden, for tests and measurements. */
export type PressureAnswer = "recompute" | "offload" | "microBatches";

/** Arrays are brought together at most this much at a time, so that a step waits for milliseconds. */
const COMPACT_BYTES_MAX = 64 * 2 ** 20;
/** A block of scratch is at most this, so that one binding can hold it. */
const BLOCK_BYTES_MAX = 256 * 2 ** 20;
const HOLDERS_MAX = 5;

export interface PressureParts {
  /** Of the device of now. */
  readonly memory: () => DeviceMemory;
  readonly leaves: Leaves;
  readonly allows: ReadonlySet<PressureAnswer>;
  readonly submit: (commands: readonly Command[]) => void;
  /** The bytes of leaves that are on the device. */
  readonly read: (leaves: readonly Node[]) => Promise<readonly Uint8Array<ArrayBuffer>[]>;
  /** Frees what the engine can find out to be garbage. */
  readonly collect: () => Promise<void>;
}

type Counts = { -readonly [Name in keyof PressureCounts]: number };

export class Pressure {
  readonly counts: Counts = { cachesDropped: 0, recomputed: 0, offloaded: 0, reloaded: 0, microBatched: 0 };
  readonly #parts: PressureParts;

  constructor(parts: PressureParts) {
    this.#parts = parts;
  }

  /**
   * Between one work and the next: brings arrays together when a slab was taken because they were scattered, and gives
   * back what is beyond a budget that was lowered. @throws DeviceLostError
   */
  async settle(): Promise<void> {
    const memory = this.#parts.memory();
    if (memory.isScattered) this.#gather(memory);
    if (memory.overBytes > 0) await this.#shrink(memory);
  }

  /** Empties the slab with the least in it, as far as that goes at once. */
  #gather(memory: DeviceMemory): void {
    memory.isScattered = false;
    const [least] = this.#slabsByUse();
    if (least === undefined) return;
    memory.dropScratch();
    this.#parts.submit(memory.empty(least.id, COMPACT_BYTES_MAX));
    memory.dropIdleSlabs();
  }

  async #shrink(memory: DeviceMemory): Promise<void> {
    memory.dropScratch();
    this.counts.cachesDropped += memory.dropIdleSlabs();
    for (const { id } of this.#slabsByUse()) {
      if (memory.overBytes === 0) return;
      this.#parts.submit(memory.empty(id, COMPACT_BYTES_MAX));
      this.counts.cachesDropped += memory.dropIdleSlabs();
    }
    while (memory.overBytes > 0) {
      const [least] = this.#slabsByUse();
      if (least === undefined) return;
      await this.#moveOut(this.#leavesIn(least.id));
      if (memory.dropIdleSlabs() === 0) return;
    }
  }

  /** What `take` gives, making room for it if it has to. @throws OutOfMemoryError */
  async room<T>(what: string, bytes: number, kept: ReadonlySet<Node>, take: () => T | undefined): Promise<T> {
    const taken = await this.#tryRoom(bytes, kept, take);
    if (taken === undefined) throw this.#outOfMemory(what, kept, bytes);
    return taken;
  }

  async #tryRoom<T>(bytes: number, kept: ReadonlySet<Node>, take: () => T | undefined): Promise<T | undefined> {
    let taken = take();
    if (taken !== undefined) return taken;
    await this.#dropCaches(bytes);
    taken = take();
    if (taken !== undefined) return taken;
    await this.#parts.collect();
    taken = take();
    while (taken === undefined && (await this.#offloadColdest(kept, bytes))) {
      this.#compact(bytes);
      taken = take();
    }
    return taken;
  }

  /** Memory for `program`, its leaves on the device. @throws OutOfMemoryError */
  async place(program: Program): Promise<Placed> {
    await this.settle();
    await this.#makeResident(program);
    const asIs = this.#tryPlace(program, null);
    if (asIs !== undefined) return asIs;
    const whole = this.#fit(program, Infinity, { recompute: false, offload: false }).boundBytes;
    await this.#dropCaches(whole);
    const alone = this.#tryPlace(program, null);
    if (alone !== undefined) return alone;
    await this.#parts.collect();
    this.#compact(whole);
    return this.#tryPlace(program, null) ?? (await this.#placeSmaller(program));
  }

  async #placeSmaller(program: Program): Promise<Placed> {
    const recompute = this.#parts.allows.has("recompute");
    const offload = this.#parts.allows.has("offload");
    if (recompute) {
      const placed = this.#tryFit(program, { recompute, offload: false });
      if (placed !== undefined) return placed;
    }
    while (offload && (await this.#offloadColdest(program.leaves, PAGE_BYTES))) {
      this.#compact(this.#parts.memory().roomBytes);
      const placed = this.#tryPlace(program, null) ?? this.#tryFit(program, { recompute, offload: false });
      if (placed !== undefined) return placed;
    }
    const last = offload ? this.#tryFit(program, { recompute, offload }) : undefined;
    if (last !== undefined) return last;
    throw this.#doesNotFit(program);
  }

  #doesNotFit(program: Program): OutOfMemoryError {
    const recompute = this.#parts.allows.has("recompute");
    const offload = this.#parts.allows.has("offload");
    const { steps } = this.#fit(program, recompute || offload ? 0 : Infinity, { recompute, offload });
    const layout = layOut(steps, program.isInner, program.keptToEnd, Infinity);
    return this.#outOfMemory(program.what, program.leaves, layout.blockBytes.reduce((sum, bytes) => sum + bytes, 0)); // prettier-ignore
  }

  #fit(program: Program, targetBytes: number, allows: { recompute: boolean; offload: boolean }): Fit {
    const { steps, isInner, keptToEnd, overwrites } = program;
    return fitMemory(steps, { targetBytes, alignment: PART_BYTES, isInner, keptToEnd, overwrites, allows });
  }

  /** Tries with what there is, and, since blocks are not filled to the brim, with a little less. */
  #tryFit(program: Program, allows: { recompute: boolean; offload: boolean }): Placed | undefined {
    const memory = this.#parts.memory();
    memory.dropScratch();
    for (const share of [1, 0.95, 0.9, 0.8, 0]) {
      const targetBytes = Math.floor(memory.roomBytes * share);
      const fit = this.#fit(program, targetBytes, allows);
      if (fit.boundBytes > memory.roomBytes) return undefined;
      const placed = this.#tryPlace(program, fit);
      if (placed !== undefined) {
        this.counts.recomputed += fit.recomputed;
        this.counts.offloaded += fit.offloaded;
        this.counts.reloaded += fit.offloaded;
        return placed;
      }
    }
    return undefined;
  }

  #tryPlace(program: Program, fit: Fit | null): Placed | undefined {
    const memory = this.#parts.memory();
    const steps = fit?.steps ?? program.steps.map((kernels) => ({ kind: "compute", kernels }) as const);
    const most = Math.min(BLOCK_BYTES_MAX, memory.arrayBytesMax);
    const limits = fit === null ? [most] : [most, Math.min(most, memory.largestRoomBytes)];
    for (const blockBytesMax of limits) {
      const { blockBytes, boundBytes, buffersIn } = layOut(steps, program.isInner, program.keptToEnd, blockBytesMax, program.runsOnce && fit === null); // prettier-ignore
      const blocks = memory.reserveScratch(blockBytes);
      if (blocks === undefined) continue;
      const plannedBytes = blockBytes.reduce((sum, bytes) => sum + bytes, 0);
      return { steps, buffers: buffersIn(blocks), plannedBytes, boundBytes, fit };
    }
    return undefined;
  }

  async #makeResident(program: Program): Promise<void> {
    const { leaves } = this.#parts;
    for (const leaf of program.leaves) {
      if (leaves.isResident(leaf)) continue;
      const isThere = await this.#tryRoom(
        bytesOfNode(leaf),
        program.leaves,
        () => leaves.makeResident(leaf) || undefined,
      );
      if (isThere === undefined) throw this.#doesNotFit(program);
      this.counts.reloaded += 1;
    }
  }

  async #dropCaches(wantedBytes: number): Promise<void> {
    const memory = this.#parts.memory();
    const hadScratch = memory.scratchBytes > 0;
    memory.dropScratch();
    this.counts.cachesDropped += memory.dropIdleSlabs() + (hadScratch ? 1 : 0);
    this.#compact(wantedBytes);
  }

  #compact(wantedBytes: number): void {
    const memory = this.#parts.memory();
    if (memory.pages.largestFreeBytes < wantedBytes) this.#parts.submit(memory.compact(wantedBytes, COMPACT_BYTES_MAX));
  }

  /** Moves the leaves used longest ago to main memory until `bytes` are free; false where there are none. */
  async #offloadColdest(kept: ReadonlySet<Node>, bytes: number): Promise<boolean> {
    if (!this.#parts.allows.has("offload")) return false;
    const chosen: Node[] = [];
    let freed = 0;
    for (const cold of this.#parts.leaves.coldest(kept)) {
      if (freed >= bytes) break;
      chosen.push(cold.leaf);
      freed += cold.bytes;
    }
    if (chosen.length === 0) return false;
    await this.#moveOut(chosen);
    return true;
  }

  async #moveOut(chosen: readonly Node[]): Promise<void> {
    const { leaves, read } = this.#parts;
    const bytes = await read(chosen);
    for (const [i, leaf] of chosen.entries()) leaves.moveToHost(leaf, bytes[i] ?? new Uint8Array(0));
    this.counts.offloaded += chosen.length;
  }

  #leavesIn(slab: number): Node[] {
    return this.#parts.leaves.resident().filter((leaf) => this.#parts.leaves.slabOf(leaf) === slab);
  }

  /** Slabs of arrays, those with the least in them first. */
  #slabsByUse(): { id: number }[] {
    const slabs = [...this.#parts.memory().pages.slabs()];
    return slabs.sort((a, b) => a.bytes - a.freeBytes - (b.bytes - b.freeBytes));
  }

  /** @param missingBytes what has to be on the device besides `kept` */
  #outOfMemory(what: string, kept: ReadonlySet<Node>, missingBytes: number): OutOfMemoryError {
    const { leaves, allows } = this.#parts;
    const memory = this.#parts.memory();
    // Leaves that may not be moved away are there as well.
    const there = allows.has("offload") ? kept : new Set([...kept, ...leaves.resident()]);
    const smallestBudgetBytes =
      memory.tableSlabBytes + pagesFor([...there].map(bytesOfNode)) + wholePages(missingBytes);
    const holders = [
      { what: `values between inputs and results of ${what}`, bytes: missingBytes },
      ...leaves.largest(HOLDERS_MAX),
    ].sort((a, b) => b.bytes - a.bytes);
    const named = holders.map((holder) => `${holder.what} (${inMebibytes(holder.bytes)})`).join(", ");
    return new OutOfMemoryError(
      `${what}: expected to fit a budget of ${inMebibytes(memory.budgetBytes)}, found that it needs ` +
        `${inMebibytes(smallestBudgetBytes)}; the most is held by ${named}`,
      { smallestBudgetBytes, holders },
    );
  }
}

/** Bytes of the pages that arrays of these sizes take when nothing else is there. */
function pagesFor(sizes: readonly number[]): number {
  const pages = new Pages();
  pages.addSlab(sizes.reduce((sum, bytes) => sum + wholePages(Math.max(4, bytes)), PAGE_BYTES));
  for (const bytes of sizes) pages.take(bytes, "other");
  return pages.usedBytes;
}

function wholePages(bytes: number): number {
  return Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES;
}

function inMebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(2)} MiB`;
}
