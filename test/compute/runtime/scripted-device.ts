/** A device that computes as the reference device does, and takes the time, and makes the mistakes, that it is told. */
import type { Bytes } from "../../../src/base/bytes.ts";
import type { Clock } from "../../../src/base/clock.ts";
import { type DeviceLostError, UnsupportedError } from "../../../src/base/errors.ts";
import type {
  Command,
  Device,
  DeviceBuffer,
  DeviceInfo,
  DeviceKernel,
  Recording,
} from "../../../src/compute/device/device.ts";
import { ReferenceDevice } from "../../../src/compute/device/reference/reference-device.ts";
import type { Kernel } from "../../../src/compute/lang/kernel.ts";

/** What happens with a kernel. Candidates differ in their invocations. */
export interface Script {
  msOf(kernel: Kernel): number;
  /** "wrong" computes something else, "refused" does not compile, "deadly" loses the device when it runs. */
  faultOf?(kernel: Kernel): "wrong" | "refused" | "deadly" | null;
  /** Called while a recording is measured. */
  onMeasure?(): Promise<void>;
  readonly compileMs?: number;
}

/** Time that passes when the device works. */
export class WorkClock implements Clock {
  ms = 0;
  nowMs(): number {
    return this.ms;
  }
  wallMs(): number {
    return this.ms;
  }
  after(): () => void {
    return () => {};
  }
}

interface ScriptedRecording extends Recording {
  readonly inner: Recording;
}

export class ScriptedDevice implements Device {
  readonly info: DeviceInfo = { ...new ReferenceDevice().info, name: "scripted" };
  readonly lost: Promise<DeviceLostError>;
  /** Measured kernels' invocations, a run each. */
  readonly measured: number[] = [];
  readonly #inner = new ReferenceDevice();
  readonly #script: Script;
  readonly #clock: WorkClock;
  #isWrong = false;

  constructor(script: Script, clock: WorkClock = new WorkClock()) {
    this.#script = script;
    this.#clock = clock;
    this.lost = this.#inner.lost;
  }

  createBuffer(bytes: number): DeviceBuffer {
    return this.#inner.createBuffer(bytes);
  }

  write(buffer: DeviceBuffer, data: Uint8Array, offset: number = 0): void {
    this.#inner.write(buffer, data, offset);
  }

  async read(buffer: DeviceBuffer, bytes: number = buffer.bytes): Promise<Bytes> {
    const out = await this.#inner.read(buffer, bytes);
    if (this.#isWrong) out[0] = (out[0] ?? 0) ^ 1;
    return out;
  }

  async readMany(buffers: readonly DeviceBuffer[]): Promise<Bytes[]> {
    return await Promise.all(buffers.map((buffer) => this.read(buffer)));
  }

  async createKernel(kernel: Kernel): Promise<DeviceKernel> {
    this.#clock.ms += this.#script.compileMs ?? 0;
    if (this.#script.faultOf?.(kernel) === "refused") throw new UnsupportedError(`kernel ${kernel.name}: refused`);
    return await this.#inner.createKernel(kernel);
  }

  record(commands: readonly Command[]): Recording {
    const recording: ScriptedRecording = { commands, inner: this.#inner.record(commands) };
    return recording;
  }

  submit(recording: Recording): void {
    const faults = kernelsOf(recording).map((kernel) => this.#script.faultOf?.(kernel));
    this.#isWrong = faults.includes("wrong");
    if (faults.includes("deadly")) this.#inner.destroy();
    this.#inner.submit((recording as ScriptedRecording).inner);
  }

  async measure(recording: Recording): Promise<readonly number[]> {
    await this.#script.onMeasure?.();
    const kernels = kernelsOf(recording);
    if (kernels.some((kernel) => this.#script.faultOf?.(kernel) === "deadly")) this.#inner.destroy();
    await this.#inner.idle();
    this.measured.push(kernels[0]?.invocations ?? 0);
    const times = kernels.map((kernel) => this.#script.msOf(kernel));
    for (const ms of times) this.#clock.ms += ms;
    return times;
  }

  async idle(): Promise<void> {
    await this.#inner.idle();
  }

  destroy(): void {
    this.#inner.destroy();
  }
}

function kernelsOf({ commands }: Recording): Kernel[] {
  return commands.flatMap((command) => (command.kind === "dispatch" ? [command.kernel.kernel] : []));
}
