/** The leaves of a runtime and the buffers that hold their bytes. */
import { assert } from "../../base/assert.ts";
import { bytesOf, type Bytes } from "../../base/bytes.ts";
import { OptionError } from "../../base/errors.ts";
import { encodeFloat16 } from "../../base/float16.ts";
import { buffer as leafNode } from "../compiler/graph.ts";
import type { Node, Shape } from "../compiler/ir.ts";
import type { Device, DeviceBuffer } from "../device/device.ts";
import { elementBytes, type DType } from "../layout/dtype.ts";
import { elementCount, formatShape } from "../layout/shape.ts";
import type { BufferPool } from "./buffer-pool.ts";
import type { HostArray } from "./runtime.ts";

/** Bytes of all elements of `node`, stored row-major, in whole words. */
export function bytesOfNode({ shape, dtype }: Node): number {
  return Math.ceil((elementCount(shape) * elementBytes(dtype)) / 4) * 4;
}

/** The array type that holds values of each dtype. */
const HOST_ARRAYS = {
  float32: Float32Array,
  float16: Float32Array,
  int32: Int32Array,
  uint32: Uint32Array,
  bool: Uint32Array,
} as const;

interface Holding {
  readonly leaf: WeakRef<Node>;
  readonly buffer: DeviceBuffer;
}

export class Leaves {
  readonly #device: Device;
  readonly #pool: BufferPool;
  readonly #held = new WeakMap<Node, Holding>();
  readonly #all = new Set<Holding>();
  /** Frees what became unreachable: a net under callers who do not release. */
  readonly #unreachable = new FinalizationRegistry<Holding>((holding) => this.#free(holding));

  constructor(device: Device, pool: BufferPool) {
    this.#device = device;
    this.#pool = pool;
  }

  /** A new leaf; zeros without `data`. */
  create(shape: Shape, dtype: DType, data?: HostArray): Node {
    const leaf = leafNode(shape, dtype);
    if (data !== undefined) checkData(leaf, data);
    const bytes = bytesOfNode(leaf);
    const buffer = data === undefined ? this.#pool.takeZeroed(bytes) : this.#pool.take(bytes);
    if (data !== undefined && data.byteLength > 0) this.#device.write(buffer, storedBytes(leaf, data));
    return this.#adopt(leaf, buffer);
  }

  /** A new leaf like `node`, with anything in it. */
  createLike(node: Node): Node {
    return this.#adopt(leafNode(node.shape, node.dtype), this.#pool.take(bytesOfNode(node)));
  }

  write(leaf: Node, data: HostArray): void {
    const buffer = this.bufferOf(leaf);
    checkData(leaf, data);
    if (data.byteLength > 0) this.#device.write(buffer, storedBytes(leaf, data));
  }

  /** The buffer of a leaf that is alive. */
  bufferOf(leaf: Node): DeviceBuffer {
    const buffer = this.#held.get(leaf)?.buffer;
    const found = leaf.primitive.kind === "buffer" ? "one of another, or released" : `a ${leaf.primitive.kind}`;
    assert(buffer !== undefined, `runtime: expected a leaf of this runtime, found ${found}`);
    return buffer;
  }

  release(leaf: Node): void {
    const holding = this.#held.get(leaf);
    if (holding === undefined) return;
    this.#held.delete(leaf);
    this.#unreachable.unregister(leaf);
    this.#free(holding);
  }

  /** Leaves that are neither released nor known to be collected. */
  get count(): number {
    return this.#all.size;
  }

  /** Frees what the engine has collected, sooner than it would tell by itself. */
  sweep(): void {
    for (const holding of this.#all) if (holding.leaf.deref() === undefined) this.#free(holding);
  }

  #free(holding: Holding): void {
    if (this.#all.delete(holding)) this.#pool.give(holding.buffer);
  }

  #adopt(leaf: Node, buffer: DeviceBuffer): Node {
    const holding = { leaf: new WeakRef(leaf), buffer };
    this.#held.set(leaf, holding);
    this.#all.add(holding);
    this.#unreachable.register(leaf, holding, leaf);
    return leaf;
  }
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
