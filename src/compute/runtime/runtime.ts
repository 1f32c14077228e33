/**
 * Where compiler meets device: graphs go in, buffers come out. One runtime a device.
 *
 * A *leaf* is a node of kind `buffer`: its bytes live on the device under this runtime's care.
 */
import type { Bytes } from "../../base/bytes.ts";
import type { DeviceLostError } from "../../base/errors.ts";
import type { DType } from "../layout/dtype.ts";
import type { Node, Shape } from "../compiler/ir.ts";
import type { MemoryKind, MemorySnapshot } from "../memory/snapshot.ts";
import type { Device } from "../device/device.ts";
import type { RuntimeTuning } from "./runtime-tuning.ts";
import type { LeafWork, StageWork } from "./leaf-work.ts";
import type { PlanReport } from "./plan-report.ts";

/** Host values of a tensor: Float32Array for float32 and float16, Int32Array for int32, Uint32Array for uint32 and bool. */
export type HostArray = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

/** Outputs of a plan, by number, that are read together: each in one of them. */
export type Stages = readonly (readonly number[])[];

/** Told the bytes of a stage's outputs, in its order, or what was read in their place. */
export type OnStage = (stage: number, bytes: readonly Bytes[]) => void;

/** A graph compiled for the leaves it reads: kernels made, buffers placed, commands recorded. Running it makes nothing new. */
export interface Plan {
  /** Leaves with fixed buffers, overwritten by every run. */
  readonly outputs: readonly Node[];
  /** Bytes of device memory that it holds for what is between inputs and results. */
  readonly scratchBytes: number;
  /**
   * Reads the leaves' bytes as they are now, then stores the updates. Submits at once, unless memory has to be arranged
   * or the runtime is at work; resolves when it has submitted. @throws OutOfMemoryError, DeviceLostError
   */
  run(): Promise<void>;
  /**
   * Runs a plan that was compiled with stages, one submit and one readback for each, and tells of a stage as soon as its
   * last kernel and those of earlier stages are done, while later ones run. Resolves when all have been told. With `work`,
   * that is done when a stage's outputs are there, before the next stage's, and what it reads is told in place of the
   * outputs. @throws OutOfMemoryError before the first, DeviceLostError
   */
  runStaged(onStage: OnStage, work?: StageWork): Promise<void>;
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
  /** Of leaves and of plans' tables, as asked for. */
  readonly liveBytes: number;
  /** Taken from the device besides: free pages, and what plans share for what is between inputs and results. */
  readonly pooledBytes: number;
  /** The most that was in use at once, in whole pages. */
  readonly peakBytes: number;
}

/**
 * What tensors need of a device: leaves, computing, reading, plans. `openRuntime` of `hearth/node` and
 * `hearth/browser` makes one.
 */
export interface Runtime {
  readonly device: Device;
  /** Resolves when the device is lost and no other takes its place: nothing can be computed any more. */
  readonly lost: Promise<DeviceLostError>;
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
   * values had been computed before any target changed. With `stages` its outputs can be read before its end.
   */
  compile(
    outputs: readonly Node[],
    updates: readonly (readonly [target: Node, value: Node])[],
    stages?: Stages,
  ): Promise<Plan>;
  /** Does `work`, and gives what it reads. @throws OutOfMemoryError, DeviceLostError */
  work(work: LeafWork): Promise<Bytes[]>;
  /** What may be taken from the device from now on, null for no limit; takes effect with the next work. @throws OptionError */
  setBudget(bytes: number | null): void;
  /** Where memory is, with what `kinds` says of leaves. */
  snapshot(kinds?: ReadonlyMap<Node, MemoryKind>): MemorySnapshot;
  /** Whether functions that do not fit may be cut into micro-batches. */
  readonly cutsIntoMicroBatches: boolean;
  /** Counts that one was cut further. */
  noteMicroBatched(): void;
  /** Frees a leaf's buffer for reuse. Leaves that nobody can reach are freed too, sooner or later. */
  release(leaf: Node): void;
  /** Frees all. */
  destroy(): void;
}
