/**
 * Where compiler meets device: graphs go in, buffers come out. One runtime a device.
 *
 * A *leaf* is a node of kind `buffer`: its bytes live on the device under this runtime's care.
 */
import type { Bytes } from "../../base/bytes.ts";
import type { DType } from "../layout/dtype.ts";
import type { Node, Shape } from "../compiler/ir.ts";
import type { Device } from "../device/device.ts";
import type { RuntimeTuning } from "./runtime-tuning.ts";
import type { PlanReport } from "./plan-report.ts";

/** Host values of a tensor: Float32Array for float32 and float16, Int32Array for int32, Uint32Array for uint32 and bool. */
export type HostArray = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

/** A graph compiled for the leaves it reads: kernels made, buffers placed, commands recorded. Running it makes nothing new. */
export interface Plan {
  /** Leaves with fixed buffers, overwritten by every run. */
  readonly outputs: readonly Node[];
  /** Bytes of device memory that it holds for what is between inputs and results. */
  readonly scratchBytes: number;
  /** Submits. Reads the leaves' bytes as they are now, then stores the updates. */
  run(): void;
  /**
   * Milliseconds of each kernel, the mean of the middle half of `runs` runs (1 by default); null where the device cannot
   * tell. These are runs: leaves are updated as by `run`.
   */
  profile(runs?: number): Promise<readonly (number | null)[]>;
  /** Graphs and kernels, with the times of the last profile. Prints every kernel, so it takes milliseconds for each. */
  explain(): PlanReport;
  destroy(): void;
}

/** Bytes of device memory under a runtime's care. */
export interface RuntimeMemory {
  /** Of leaves, plans and work under way. */
  readonly liveBytes: number;
  /** Kept to be used again. */
  readonly pooledBytes: number;
  /** The most that both together came to. */
  readonly peakBytes: number;
}

/**
 * What tensors need of a device: leaves, computing, reading, plans. `openRuntime` of `hearth/node` and
 * `hearth/browser` makes one.
 */
export interface Runtime {
  readonly device: Device;
  /** True after `destroy`. */
  readonly isDestroyed: boolean;
  readonly memory: RuntimeMemory;
  /** What is known of the device's speed, and asked when kernels are made. */
  readonly tuning: RuntimeTuning;
  /** A leaf; zeros without `data`. */
  leaf(shape: Shape, dtype: DType, data?: HostArray): Node;
  /** Overwrites a leaf's bytes, before all that is submitted later. */
  write(leaf: Node, data: HostArray): void;
  /** Computes `nodes`; the result has a leaf for each (a node that is a leaf is itself). */
  realize(nodes: readonly Node[]): Promise<Node[]>;
  /** The bytes of `nodes`, row-major, in one readback; computes those that are not leaves. */
  read(nodes: readonly Node[]): Promise<Bytes[]>;
  /**
   * A plan that computes `outputs`, and at its end copies the value of each update into its target leaf, as if all
   * values had been computed before any target changed.
   */
  compile(outputs: readonly Node[], updates: readonly (readonly [target: Node, value: Node])[]): Promise<Plan>;
  /** Counts that a function was cut into smaller micro-batches for a lack of memory. */
  noteMicroBatched(): void;
  /** Frees a leaf's buffer for reuse. Leaves that nobody can reach are freed too, sooner or later. */
  release(leaf: Node): void;
  /** Frees all. */
  destroy(): void;
}
