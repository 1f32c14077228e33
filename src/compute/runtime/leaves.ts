/**
 * The leaves of a runtime and where their bytes are: in device memory, or, when that is short, in main memory.
 *
 * A leaf that is in main memory comes back before anything computes with it (`makeResident`).
 */
import { assert } from "../../base/assert.ts";
import { bytesOf, type Bytes } from "../../base/bytes.ts";
import { OptionError, type MemoryHolder } from "../../base/errors.ts";
import { encodeFloat16 } from "../../base/float16.ts";
import { buffer as leafNode } from "../compiler/graph.ts";
import type { Node, Shape } from "../compiler/ir.ts";
import type { Device, DeviceBuffer } from "../device/device.ts";
import { elementBytes, type DType } from "../layout/dtype.ts";
import { elementCount, formatShape } from "../layout/shape.ts";
import { GRANULE_BYTES, PAGE_BYTES, type Allocation } from "../memory/pages.ts";
import type { MemoryKind } from "../memory/snapshot.ts";
import type { DeviceMemory } from "./device-memory.ts";
import type { RecoveryLog } from "./recovery-log.ts";
import type { HostArray } from "./runtime.ts";

/** Bytes of all elements of `node`, stored row-major, in whole words. */
export function bytesOfNode({ shape, dtype }: Node): number {
  return Math.ceil((elementCount(shape) * elementBytes(dtype)) / 4) * 4;
}

export function isLeaf(node: Node): boolean {
  return node.primitive.kind === "buffer";
}

/** The array type that holds values of each dtype. */
const HOST_ARRAYS = {
  float32: Float32Array,
  float16: Float32Array,
  int32: Int32Array,
  uint32: Uint32Array,
  bool: Uint32Array,
} as const;

/** What a leaf's bytes are: in `allocation`, or in main memory (`host`, null for zeros). */
interface Holding {
  readonly leaf: WeakRef<Node>;
  readonly bytes: number;
  allocation: Allocation | null;
  host: Bytes | null;
  /** When it was used last, in uses of all leaves. */
  usedAt: number;
  /** Where recovery is on: the bytes that it had when the log of what came since began, null for zeros. */
  base: Bytes | null;
  /** What it holds, if that came from the host: null for zeros; undefined when only the device knows. */
  known: Bytes | null | undefined;
}

/** A leaf that could be moved to main memory. */
export interface ColdLeaf {
  readonly leaf: Node;
  readonly bytes: number;
}

export class Leaves {
  #device: Device;
  #memory: DeviceMemory;
  readonly #log: RecoveryLog | null;
  readonly #held = new WeakMap<Node, Holding>();
  readonly #all = new Set<Holding>();
  #uses = 0;
  #hostBytes = 0;
  /** Frees what became unreachable: a net under callers who do not release. */
  readonly #unreachable = new FinalizationRegistry<Holding>((holding) => this.#free(holding));

  /** @param log where recovery is on, what is told of writes */
  constructor(device: Device, memory: DeviceMemory, log: RecoveryLog | null) {
    this.#device = device;
    this.#memory = memory;
    this.#log = log;
  }

  /** Leaves that are neither released nor known to be collected. */
  get count(): number {
    return this.#all.size;
  }

  /** Of main memory, for leaves that are not on the device. */
  get hostBytes(): number {
    return this.#hostBytes;
  }

  /** A new leaf; zeros without `data`. In main memory where the device's has no room. */
  create(shape: Shape, dtype: DType, data?: HostArray): Node {
    const leaf = leafNode(shape, dtype);
    if (data !== undefined) checkData(leaf, data);
    const bytes = bytesOfNode(leaf);
    const stored = data === undefined ? null : storedBytes(leaf, data);
    const allocation = this.#memory.take(bytes, "other") ?? null;
    const copy = stored !== null && (allocation === null || this.#log !== null) ? stored.slice() : null;
    this.#adopt(leaf, { bytes, allocation, host: allocation === null ? copy : null, base: copy, known: copy });
    if (allocation === null) this.#hostBytes += bytes;
    else this.#fill(allocation, stored, bytes);
    return leaf;
  }

  /** A new leaf like `node`, with anything in it; undefined where there is no room. */
  createLike(node: Node): Node | undefined {
    const bytes = bytesOfNode(node);
    const allocation = this.#memory.take(bytes, "other");
    if (allocation === undefined) return undefined;
    const leaf = leafNode(node.shape, node.dtype);
    this.#adopt(leaf, { bytes, allocation, host: null, base: null, known: undefined });
    return leaf;
  }

  write(leaf: Node, data: HostArray): void {
    const holding = this.#holdingOf(leaf);
    checkData(leaf, data);
    if (data.byteLength === 0) return;
    const stored = storedBytes(leaf, data);
    const copy = holding.allocation === null || this.#log !== null ? stored.slice() : stored;
    this.#log?.noteWrite(leaf, copy);
    if (this.#log?.isReplaying !== true) this.#put(holding, copy);
  }

  /** Writes again what `write` wrote. */
  writeAgain(leaf: Node, stored: Bytes): void {
    this.#put(this.#holdingOf(leaf), stored.slice());
  }

  #put(holding: Holding, stored: Bytes): void {
    if (this.#log !== null) holding.known = stored;
    if (holding.allocation === null) holding.host = stored;
    else this.#device.write(this.#memory.bufferOf(holding.allocation), stored);
  }

  /** The buffer of a leaf that is alive and on the device. */
  bufferOf(leaf: Node): DeviceBuffer {
    const { allocation } = this.#holdingOf(leaf);
    assert(allocation !== null, "runtime: expected a leaf on the device, found one in main memory");
    return this.#memory.bufferOf(allocation);
  }

  /** Fails for a leaf that is released, or of another runtime; notes that it is used. */
  use(leaf: Node): void {
    this.#uses += 1;
    this.#holdingOf(leaf).usedAt = this.#uses;
  }

  isResident(leaf: Node): boolean {
    return this.#holdingOf(leaf).allocation !== null;
  }

  /** What page maps say of it. */
  label(leaf: Node, kind: MemoryKind): void {
    const allocation = this.#held.get(leaf)?.allocation;
    if (allocation !== null && allocation !== undefined) allocation.kind = kind;
  }

  /** The bytes of a leaf in main memory. */
  hostBytesOf(leaf: Node): Bytes {
    const { host, bytes } = this.#holdingOf(leaf);
    return host ?? new Uint8Array(bytes);
  }

  /** The slab that a leaf is in. */
  slabOf(leaf: Node): number | undefined {
    return this.#holdingOf(leaf).allocation?.slab;
  }

  /** Of device memory, in all or of some, whether they are there now or not. */
  bytesOf(some: Iterable<Node>): number {
    let sum = 0;
    for (const leaf of some) sum += reservedBytes(this.#holdingOf(leaf).bytes);
    return sum;
  }

  get residentBytes(): number {
    return this.bytesOf(this.resident());
  }

  /** The largest that are on the device. */
  largest(count: number): MemoryHolder[] {
    const all = this.resident().map((leaf) => ({
      what: `a tensor ${formatShape(leaf.shape)} ${leaf.dtype}`,
      bytes: reservedBytes(bytesOfNode(leaf)),
    }));
    return all.sort((a, b) => b.bytes - a.bytes).slice(0, count);
  }

  /** Brings a leaf to the device; false where there is no room. */
  makeResident(leaf: Node): boolean {
    const holding = this.#holdingOf(leaf);
    if (holding.allocation !== null) return true;
    const allocation = this.#memory.take(holding.bytes, "other");
    if (allocation === undefined) return false;
    this.#fill(allocation, holding.host, holding.bytes);
    this.#hostBytes -= holding.bytes;
    holding.allocation = allocation;
    holding.host = null;
    this.#memory.generation += 1;
    return true;
  }

  /** Those on the device besides `kept`, the one used longest ago first. */
  coldest(kept: ReadonlySet<Node>): ColdLeaf[] {
    const found = [...this.#all].flatMap((holding) => {
      const leaf = holding.leaf.deref();
      if (leaf === undefined || holding.allocation === null || kept.has(leaf)) return [];
      return [{ leaf, bytes: holding.allocation.sizeBytes, usedAt: holding.usedAt }];
    });
    return found.sort((a, b) => a.usedAt - b.usedAt || b.bytes - a.bytes);
  }

  /** All that are on the device. */
  resident(): Node[] {
    return [...this.#all].flatMap((holding) => (holding.allocation === null ? [] : (holding.leaf.deref() ?? [])));
  }

  /** Notes that `bytes` are what `leaf` holds, and gives its device memory back. */
  moveToHost(leaf: Node, bytes: Bytes): void {
    const holding = this.#held.get(leaf);
    if (holding === undefined || holding.allocation === null) return;
    this.#memory.give(holding.allocation);
    this.#memory.generation += 1;
    holding.allocation = null;
    holding.host = bytes;
    this.#hostBytes += holding.bytes;
  }

  release(leaf: Node): void {
    const holding = this.#held.get(leaf);
    if (holding === undefined) return;
    this.#log?.noteRelease(leaf, holding.base);
    if (this.#log?.isReplaying === true) return; // It may be needed once more.
    this.#held.delete(leaf);
    this.#unreachable.unregister(leaf);
    this.#free(holding);
  }

  /** Notes that the device computed what is in `leaf` now. */
  noteComputed(leaf: Node): void {
    const holding = this.#held.get(leaf);
    if (holding !== undefined) holding.known = undefined;
  }

  /** What all leaves hold now, to be their bases: `unknown` has to be read, and `adopt` is given what was read. */
  captureBases(): { readonly unknown: readonly Node[]; readonly adopt: (read: readonly Bytes[]) => void } {
    const unknown: [Node, Holding][] = [];
    const known: [Holding, Bytes | null][] = [];
    for (const holding of this.#all) {
      const leaf = holding.leaf.deref();
      if (leaf === undefined) continue;
      if (holding.known !== undefined) known.push([holding, holding.known]);
      else if (holding.allocation === null) known.push([holding, holding.host]);
      else unknown.push([leaf, holding]);
    }
    const adopt = (read: readonly Bytes[]): void => {
      for (const [holding, bytes] of known) holding.base = bytes;
      for (const [i, [, holding]] of unknown.entries()) holding.base = read[i] ?? null;
    };
    return { unknown: unknown.map(([leaf]) => leaf), adopt };
  }

  /**
   * Goes over to another device: all bytes are as they were when the log began, in main memory. `released` were needed
   * since, and are there again until they are released once more.
   */
  rehome(device: Device, memory: DeviceMemory, released: ReadonlyMap<Node, Bytes | null>): void {
    this.#device = device;
    this.#memory = memory;
    this.#hostBytes = 0;
    for (const holding of this.#all) {
      holding.allocation = null;
      holding.host = holding.known = holding.base;
      this.#hostBytes += holding.bytes;
    }
    for (const [leaf, base] of released) {
      this.#adopt(leaf, { bytes: bytesOfNode(leaf), allocation: null, host: base, base, known: base });
      this.#hostBytes += bytesOfNode(leaf);
    }
  }

  /** Frees what the engine has collected, sooner than it would tell by itself. */
  sweep(): void {
    for (const holding of this.#all) if (holding.leaf.deref() === undefined) this.#free(holding);
  }

  #fill(allocation: Allocation, stored: Bytes | null, bytes: number): void {
    const buffer = this.#memory.bufferOf(allocation);
    if (stored === null) this.#device.write(buffer, new Uint8Array(Math.max(4, bytes)));
    else if (stored.byteLength > 0) this.#device.write(buffer, stored);
  }

  #free(holding: Holding): void {
    if (!this.#all.delete(holding)) return;
    if (holding.allocation === null) this.#hostBytes -= holding.bytes;
    else this.#memory.give(holding.allocation);
    holding.host = null;
  }

  #holdingOf(leaf: Node): Holding {
    const holding = this.#held.get(leaf);
    const found = leaf.primitive.kind === "buffer" ? "one of another, or released" : `a ${leaf.primitive.kind}`;
    assert(holding !== undefined, `runtime: expected a leaf of this runtime, found ${found}`);
    return holding;
  }

  #adopt(leaf: Node, parts: Pick<Holding, "bytes" | "allocation" | "host" | "base" | "known">): void {
    this.#uses += 1;
    const holding = { leaf: new WeakRef(leaf), ...parts, usedAt: this.#uses };
    this.#held.set(leaf, holding);
    this.#all.add(holding);
    this.#unreachable.register(leaf, holding, leaf);
  }
}

/** What `bytes` take in pages, or in granules of one. */
function reservedBytes(bytes: number): number {
  const unit = bytes < PAGE_BYTES ? GRANULE_BYTES : PAGE_BYTES;
  return Math.ceil(Math.max(4, bytes) / unit) * unit;
}

/** `data` as the device stores it. */
function storedBytes(leaf: Node, data: HostArray): Bytes {
  if (leaf.dtype !== "float16") return bytesOf(data);
  const words = new Uint16Array(bytesOfNode(leaf) / 2);
  words.set(encodeFloat16(data));
  return bytesOf(words);
}

function checkData(leaf: Node, data: HostArray): void {
  const expected = HOST_ARRAYS[leaf.dtype];
  const count = elementCount(leaf.shape);
  if (data instanceof expected && data.length === count) return;
  const found = `${data.constructor.name} of ${data.length}`;
  throw new OptionError(
    `runtime: expected a ${expected.name} of ${count} for ${leaf.dtype} ${formatShape(leaf.shape)}, found ${found}`,
  );
}
