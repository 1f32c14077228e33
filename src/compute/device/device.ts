/**
 * One device: buffers, kernels, and recordings of dispatches. The narrowest interface that WebGPU, WebAssembly and a
 * plain interpreter can all serve well. It knows kernels (`lang`), not tensors, not graphs, not peers.
 *
 * Commands run in the order submitted. A failure inside a submit surfaces at the next `read` or through `lost`. A lost
 * or destroyed device ignores writes and submits, and rejects what is awaited.
 */
import type { Bytes } from "../../base/bytes.ts";
import type { DeviceLostError } from "../../base/errors.ts";
import type { Kernel } from "../lang/kernel.ts";

export type DeviceKind = "webgpu" | "wasm" | "reference" | "null";

export interface DeviceLimits {
  /** Arrays a kernel may bind. */
  readonly bindingsMax: number;
  /** Bytes of one binding. */
  readonly bindingBytesMax: number;
  /** Bytes of one buffer. */
  readonly bufferBytesMax: number;
  /** Bytes of the arrays that a workgroup shares. */
  readonly workgroupBytesMax: number;
  /** Invocations in a workgroup. */
  readonly workgroupLanesMax: number;
}

export interface DeviceInfo {
  readonly kind: DeviceKind;
  /** For people: "SwiftShader", "Apple M2", "CPU (JavaScript)". */
  readonly name: string;
  /** Of a GPU, as the browser names them: empty where it does not tell. */
  readonly adapter?: { readonly vendor: string; readonly architecture: string };
  /** True for a GPU emulated on the processor. */
  readonly isSoftware: boolean;
  /** Whether kernels may bind arrays of f16. */
  readonly hasFloat16: boolean;
  /** Whether kernels may use subgroups, of a size that only they learn. */
  readonly hasSubgroups: boolean;
  /** Lanes in every subgroup; null where kernels may get subgroups of several sizes, or it is not known. */
  readonly subgroupSize: number | null;
  /** True for a processor whose vectors are the lanes: a workgroup of four is one, and waits for nobody. */
  readonly hasVectorLanes?: boolean;
  /** Vectors of sums that a kernel can keep in registers there, beside what it multiplies. */
  readonly vectorSums?: number;
  /** Threads that share a dispatch there; results do not depend on it. */
  readonly threads?: number;
  readonly limits: DeviceLimits;
}

/** Parts of buffers begin at multiples of this, which every device can bind. */
export const PART_BYTES = 256;

/** Device memory, or a part of it. Zeroed at creation. Sizes are multiples of 4 bytes, at least 4. */
export interface DeviceBuffer {
  readonly bytes: number;
  /** The buffer that was created: itself, or what it is a part of. */
  readonly whole: DeviceBuffer;
  /** Where it begins in the whole, in bytes. */
  readonly offset: number;
  /** [offset, offset + bytes) of it, which lives as long as the whole. `offset` is a multiple of PART_BYTES. */
  part(offset: number, bytes: number): DeviceBuffer;
  /** Frees a whole buffer after the commands submitted so far. Using it or a part of it afterwards is an InvariantError. */
  destroy(): void;
}

/** A kernel made ready for a device. */
export interface DeviceKernel {
  readonly kernel: Kernel;
}

export type Command =
  | {
      readonly kind: "dispatch";
      readonly kernel: DeviceKernel;
      /** One buffer for each of the kernel's bindings, in order. */
      readonly buffers: readonly DeviceBuffer[];
    }
  | {
      /** May overlap itself only toward lower places. */
      readonly kind: "copy";
      readonly source: DeviceBuffer;
      readonly sourceOffset: number;
      readonly target: DeviceBuffer;
      readonly targetOffset: number;
      readonly bytes: number;
    };

/** Commands checked and bound once, to be submitted many times. */
export interface Recording {
  readonly commands: readonly Command[];
}

export interface Device {
  readonly info: DeviceInfo;
  /** Resolves (never rejects) when the device is gone. */
  readonly lost: Promise<DeviceLostError>;
  createBuffer(bytes: number): DeviceBuffer;
  /** Copies `data` into `buffer` at `offset` (both multiples of 4), before all commands submitted later. */
  write(buffer: DeviceBuffer, data: Uint8Array, offset?: number): void;
  /** The first `bytes` bytes after all commands submitted before. @throws DeviceLostError */
  read(buffer: DeviceBuffer, bytes?: number): Promise<Bytes>;
  /** The bytes of each of `buffers`, as `read` gives them, in one readback. @throws DeviceLostError */
  readMany(buffers: readonly DeviceBuffer[]): Promise<Bytes[]>;
  /** Compiles. Kernels made in parallel compile in parallel. @throws UnsupportedError beyond the device's limits */
  createKernel(kernel: Kernel): Promise<DeviceKernel>;
  record(commands: readonly Command[]): Recording;
  /** Starts a recording; long ones yield to the event loop on a device that shares the thread. */
  submit(recording: Recording): void;
  /**
   * Runs a recording once and says how many milliseconds each of its commands took; null where the device cannot tell.
   *
   * For measuring only: commands run one by one, and the whole may take far longer than `submit`; whoever submits
   * something else meanwhile is measured too. WebGPU with `timestamp-query`: the device's own clock around each
   * dispatch, without what a submit costs, null for copies. Chromium rounds timestamps to about 0.1 ms unless its WebGPU
   * developer features are on (Dawn in Node to 65.5 µs), so a short kernel is seen as 0 or 0.1 ms: sum many runs. The
   * first run of a kernel may include the driver's compiling. WebGPU without: each command is submitted alone and waited
   * for, which adds the way to the GPU and back. Reference device: the time of the work itself. Null device: zeros.
   *
   * @throws DeviceLostError
   */
  measure(recording: Recording): Promise<readonly (number | null)[]>;
  /** Resolves when all that was submitted has run. @throws DeviceLostError */
  idle(): Promise<void>;
  /** Frees everything. `lost` resolves. */
  destroy(): void;
}
