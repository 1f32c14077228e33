/** A device that runs nothing: it keeps what it was asked to do, and reads zeros. For tests of those who drive devices. */
import { assert } from "../../../base/assert.ts";
import type { Bytes } from "../../../base/bytes.ts";
import { DeviceLostError } from "../../../base/errors.ts";
import type { Kernel } from "../../lang/kernel.ts";
import { checkBufferBytes, checkCommand, checkKernel, checkPart, checkRange } from "../checks.ts";
import type { Command, Device, DeviceBuffer, DeviceInfo, DeviceKernel, DeviceLimits, Recording } from "../device.ts";

/** What was asked of the device, in order. Buffers are told apart by identity. */
export type NullCall =
  | { readonly kind: "createBuffer"; readonly buffer: DeviceBuffer }
  | { readonly kind: "destroyBuffer"; readonly buffer: DeviceBuffer }
  | { readonly kind: "write"; readonly buffer: DeviceBuffer; readonly offset: number; readonly bytes: number }
  | { readonly kind: "read"; readonly buffer: DeviceBuffer; readonly bytes: number }
  | { readonly kind: "createKernel"; readonly kernel: Kernel }
  | { readonly kind: "record"; readonly recording: Recording }
  | { readonly kind: "submit"; readonly recording: Recording }
  | { readonly kind: "measure"; readonly recording: Recording }
  | { readonly kind: "idle" }
  | { readonly kind: "destroy" };

const LIMITS: DeviceLimits = {
  bindingsMax: 8,
  bindingBytesMax: 2 ** 27,
  bufferBytesMax: 2 ** 28,
  workgroupBytesMax: 2 ** 14,
  workgroupLanesMax: 256,
};

class NullBuffer implements DeviceBuffer {
  readonly bytes: number;
  readonly offset: number;
  readonly whole: DeviceBuffer;
  readonly #free: (whole: DeviceBuffer) => void;

  constructor(bytes: number, offset: number, whole: DeviceBuffer | undefined, free: (whole: DeviceBuffer) => void) {
    this.bytes = bytes;
    this.offset = offset;
    this.whole = whole ?? this;
    this.#free = free;
  }

  part(offset: number, bytes: number): DeviceBuffer {
    checkPart(this, offset, bytes);
    return new NullBuffer(bytes, this.offset + offset, this.whole, () => {});
  }

  destroy(): void {
    this.#free(this);
  }
}

/** Records calls. The limits are those every WebGPU device has, unless others are given. */
export class NullDevice implements Device {
  readonly info: DeviceInfo;
  readonly lost: Promise<DeviceLostError>;
  readonly calls: NullCall[] = [];
  readonly #live = new Set<DeviceBuffer>();
  #resolveLost: (error: DeviceLostError) => void = () => {};
  #failure: DeviceLostError | undefined;

  constructor(limits: DeviceLimits = LIMITS) {
    this.info = {
      kind: "null",
      name: "null",
      isSoftware: true,
      hasFloat16: true,
      hasSubgroups: true,
      subgroupSize: null,
      limits,
    };
    this.lost = new Promise((resolve) => {
      this.#resolveLost = resolve;
    });
  }

  createBuffer(bytes: number): DeviceBuffer {
    checkBufferBytes(bytes, this.info.limits);
    const buffer = new NullBuffer(bytes, 0, undefined, (whole) => {
      if (this.#live.delete(whole)) this.calls.push({ kind: "destroyBuffer", buffer: whole });
    });
    this.#live.add(buffer);
    this.calls.push({ kind: "createBuffer", buffer });
    return buffer;
  }

  write(buffer: DeviceBuffer, data: Uint8Array, offset: number = 0): void {
    this.#checkLive("write", buffer);
    checkRange("write", buffer, offset, data.byteLength);
    this.calls.push({ kind: "write", buffer, offset, bytes: data.byteLength });
  }

  async read(buffer: DeviceBuffer, bytes: number = buffer.bytes): Promise<Bytes> {
    if (this.#failure !== undefined) throw this.#failure;
    this.#checkLive("read", buffer);
    checkRange("read", buffer, 0, bytes);
    this.calls.push({ kind: "read", buffer, bytes });
    return new Uint8Array(bytes);
  }

  async readMany(buffers: readonly DeviceBuffer[]): Promise<Bytes[]> {
    return await Promise.all(buffers.map((buffer) => this.read(buffer)));
  }

  async createKernel(kernel: Kernel): Promise<DeviceKernel> {
    if (this.#failure !== undefined) throw this.#failure;
    checkKernel(kernel, this.info);
    this.calls.push({ kind: "createKernel", kernel });
    return { kernel };
  }

  record(commands: readonly Command[]): Recording {
    for (const command of commands) {
      checkCommand(command);
      this.#checkBuffers("record", command);
    }
    const recording: Recording = { commands };
    this.calls.push({ kind: "record", recording });
    return recording;
  }

  submit(recording: Recording): void {
    for (const command of recording.commands) this.#checkBuffers("submit", command);
    this.calls.push({ kind: "submit", recording });
  }

  async measure(recording: Recording): Promise<readonly number[]> {
    if (this.#failure !== undefined) throw this.#failure;
    for (const command of recording.commands) this.#checkBuffers("measure", command);
    this.calls.push({ kind: "measure", recording });
    return recording.commands.map(() => 0);
  }

  async idle(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    this.calls.push({ kind: "idle" });
  }

  destroy(): void {
    if (this.#failure !== undefined) return;
    this.calls.push({ kind: "destroy" });
    this.#failure = new DeviceLostError("null device: destroyed by its owner");
    this.#live.clear();
    this.#resolveLost(this.#failure);
  }

  #checkBuffers(what: string, command: Command): void {
    const buffers = command.kind === "copy" ? [command.source, command.target] : command.buffers;
    for (const buffer of buffers) this.#checkLive(what, buffer);
  }

  #checkLive(what: string, buffer: DeviceBuffer): void {
    if (this.#failure !== undefined) return;
    assert(
      this.#live.has(buffer.whole),
      `${what}: expected a live buffer of this device, found another or a destroyed one`,
    );
  }
}
