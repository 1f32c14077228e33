/**
 * The device on a GPU: recordings become one command encoder and one submit, with bind groups made once.
 *
 * An error that WebGPU reports late (validation, out of memory) ends the device as a loss does: what was computed since
 * cannot be trusted. `lost` says why, and every later read rejects with it; the owner still calls `destroy`.
 */
import { assert, present } from "../../../base/assert.ts";
import type { Bytes } from "../../../base/bytes.ts";
import { DeviceLostError } from "../../../base/errors.ts";
import { bytesOfArray, type Kernel } from "../../lang/kernel.ts";
import { workgroupsOf } from "../../lang/print-wgsl.ts";
import { checkBufferBytes, checkCommand, checkKernel, checkPart, checkRange } from "../checks.ts";
import type { Command, Device, DeviceBuffer, DeviceInfo, DeviceKernel, Recording } from "../device.ts";
import { BufferUsage, MAP_MODE_READ } from "./constants.ts";
import { encode, type Step } from "./encode.ts";
import { measureByTimestamps, measureByWaiting } from "./measure.ts";
import { Pipelines, type Pipeline } from "./pipelines.ts";
import { Staging } from "./staging.ts";

const BETWEEN_BYTES = 2 ** 20;
const STORAGE_USAGE = BufferUsage.storage | BufferUsage.copySrc | BufferUsage.copyDst;

class WebGpuBuffer implements DeviceBuffer {
  readonly bytes: number;
  readonly offset: number;
  readonly whole: WebGpuBuffer;
  /** Of the whole. */
  readonly gpu: GPUBuffer;
  isDestroyed = false;

  constructor(bytes: number, gpu: GPUBuffer, offset = 0, whole?: WebGpuBuffer) {
    this.bytes = bytes;
    this.gpu = gpu;
    this.offset = offset;
    this.whole = whole ?? this;
  }

  part(offset: number, bytes: number): DeviceBuffer {
    checkPart(this, offset, bytes);
    return new WebGpuBuffer(bytes, this.gpu, this.offset + offset, this.whole);
  }

  destroy(): void {
    if (this.whole !== this) return;
    this.isDestroyed = true;
    this.gpu.destroy();
  }
}

class WebGpuKernel implements DeviceKernel {
  readonly kernel: Kernel;
  readonly pipeline: Pipeline;

  constructor(kernel: Kernel, pipeline: Pipeline) {
    this.kernel = kernel;
    this.pipeline = pipeline;
  }
}

class WebGpuRecording implements Recording {
  readonly commands: readonly Command[];
  readonly steps: readonly Step[];
  readonly buffers: ReadonlySet<WebGpuBuffer>;

  constructor(commands: readonly Command[], steps: readonly Step[], buffers: ReadonlySet<WebGpuBuffer>) {
    this.commands = commands;
    this.steps = steps;
    this.buffers = buffers;
  }
}

export class WebGpuDevice implements Device {
  readonly info: DeviceInfo;
  readonly lost: Promise<DeviceLostError>;
  readonly #device: GPUDevice;
  readonly #pipelines: Pipelines;
  readonly #staging: Staging;
  #resolveLost: (error: DeviceLostError) => void = () => {};
  #failure: DeviceLostError | undefined;
  /** What copies within one buffer go through: WebGPU refuses them. */
  #between: GPUBuffer | undefined;

  /** Owns `device` from here on. */
  constructor(device: GPUDevice, info: DeviceInfo) {
    this.info = info;
    this.#device = device;
    this.#pipelines = new Pipelines(device);
    this.#staging = new Staging(device);
    this.lost = new Promise((resolve) => {
      this.#resolveLost = resolve;
    });
    device.onuncapturederror = (event) => {
      // Handled here: Dawn in Node would print it too.
      event.preventDefault();
      const { error } = event;
      const isOutOfMemory = error.constructor.name === "GPUOutOfMemoryError";
      this.#fail(`WebGPU ${info.name}: expected commands that run, found ${error.message}`, error, isOutOfMemory);
      // Whoever waits for `lost` destroys it: Dawn in Node calls this inside the failing call, and would wait for itself.
    };
    void device.lost.then(({ reason, message }) => {
      this.#fail(`WebGPU ${info.name}: expected the device to stay, found it lost (${reason}): ${message}`);
    });
  }

  createBuffer(bytes: number): DeviceBuffer {
    checkBufferBytes(bytes, this.info.limits);
    return new WebGpuBuffer(bytes, this.#device.createBuffer({ size: bytes, usage: STORAGE_USAGE }));
  }

  write(buffer: DeviceBuffer, data: Uint8Array, offset: number = 0): void {
    const target = ownBuffer("write", buffer);
    checkRange("write", buffer, offset, data.byteLength);
    const { buffer: memory, byteOffset, byteLength } = data;
    this.#device.queue.writeBuffer(target.gpu, target.offset + offset, memory, byteOffset, byteLength);
  }

  async read(buffer: DeviceBuffer, bytes: number = buffer.bytes): Promise<Bytes> {
    checkRange("read", buffer, 0, bytes);
    const [out] = await this.#readRanges([{ source: ownBuffer("read", buffer), bytes }]);
    return present(out, "read: the bytes");
  }

  async readMany(buffers: readonly DeviceBuffer[]): Promise<Bytes[]> {
    return await this.#readRanges(buffers.map((buffer) => ({ source: ownBuffer("readMany", buffer), bytes: buffer.bytes }))); // prettier-ignore
  }

  async #readRanges(ranges: readonly { readonly source: WebGpuBuffer; readonly bytes: number }[]): Promise<Bytes[]> {
    if (this.#failure !== undefined) throw this.#failure;
    const total = ranges.reduce((sum, { bytes }) => sum + bytes, 0);
    if (total === 0) return ranges.map(() => new Uint8Array(0));
    const staging = this.#staging.take(total);
    const encoder = this.#device.createCommandEncoder();
    let at = 0;
    for (const { source, bytes } of ranges) {
      if (bytes > 0) encoder.copyBufferToBuffer(source.gpu, source.offset, staging, at, bytes);
      at += bytes;
    }
    this.#device.queue.submit([encoder.finish()]);
    await this.#unlessLost(staging.mapAsync(MAP_MODE_READ, 0, total));
    const mapped = staging.getMappedRange(0, total);
    let end = 0;
    const out = ranges.map(({ bytes }) => {
      end += bytes;
      return new Uint8Array(mapped.slice(end - bytes, end));
    });
    staging.unmap();
    this.#staging.give(staging);
    return out;
  }

  async createKernel(kernel: Kernel): Promise<DeviceKernel> {
    checkKernel(kernel, this.info);
    if (this.#failure !== undefined) throw this.#failure;
    return new WebGpuKernel(kernel, await this.#unlessLost(this.#pipelines.get(kernel)));
  }

  record(commands: readonly Command[]): Recording {
    const buffers = new Set<WebGpuBuffer>();
    const steps = commands.map((command) => {
      checkCommand(command);
      for (const buffer of buffersOf(command)) buffers.add(ownBuffer("record", buffer));
      return command.kind === "copy" ? this.#copy(command) : this.#bind(command);
    });
    return new WebGpuRecording(commands, steps, buffers);
  }

  submit(recording: Recording): void {
    assert(recording instanceof WebGpuRecording, "submit: expected a recording of this device");
    for (const buffer of recording.buffers) ownBuffer("submit", buffer);
    if (recording.steps.length === 0 || this.#failure !== undefined) return;
    const encoder = this.#device.createCommandEncoder();
    encode(encoder, recording.steps);
    this.#device.queue.submit([encoder.finish()]);
  }

  async measure(recording: Recording): Promise<readonly (number | null)[]> {
    assert(recording instanceof WebGpuRecording, "measure: expected a recording of this device");
    for (const buffer of recording.buffers) ownBuffer("measure", buffer);
    if (this.#failure !== undefined) throw this.#failure;
    const hasTimestamps = this.#device.features.has("timestamp-query");
    const measureSteps = hasTimestamps ? measureByTimestamps : measureByWaiting;
    return await this.#unlessLost(measureSteps(this.#device, recording.steps));
  }

  async idle(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    await this.#unlessLost(this.#device.queue.onSubmittedWorkDone());
  }

  destroy(): void {
    this.#fail(`WebGPU ${this.info.name}: destroyed by its owner`);
    this.#device.destroy();
  }

  #bind(command: Command & { kind: "dispatch" }): Step {
    const { kernel, buffers } = command;
    assert(kernel instanceof WebGpuKernel, `record: expected a kernel of this device for ${kernel.kernel.name}`);
    const { pipeline, layout } = kernel.pipeline;
    const entries = buffers.flatMap((buffer, binding) => {
      if (kernel.kernel.bindings[binding]?.aliasOf !== undefined) return [];
      const { gpu, offset } = ownBuffer("record", buffer);
      return [{ binding, resource: { buffer: gpu, offset, size: bindingBytes(kernel.kernel, binding) } }];
    });
    const bindGroup = this.#device.createBindGroup({ label: kernel.kernel.name, layout, entries });
    return { kind: "dispatch", pipeline, bindGroup, workgroups: workgroupsOf(kernel.kernel) };
  }

  #copy({ source, sourceOffset, target, targetOffset, bytes }: Command & { kind: "copy" }): Step {
    const [from, to] = [ownBuffer("record", source), ownBuffer("record", target)];
    const step = {
      kind: "copy",
      source: from.gpu,
      sourceOffset: from.offset + sourceOffset,
      target: to.gpu,
      targetOffset: to.offset + targetOffset,
      bytes,
    } as const;
    if (from.gpu !== to.gpu || bytes === 0) return step;
    const usage = BufferUsage.copySrc | BufferUsage.copyDst;
    this.#between ??= this.#device.createBuffer({ label: "copies within one buffer", size: BETWEEN_BYTES, usage });
    return { ...step, between: this.#between };
  }

  /** `promise`, or the reason of the loss: promises of a lost device may reject for other reasons, late, or never. */
  async #unlessLost<T>(promise: Promise<T>): Promise<T> {
    try {
      const won = await Promise.race([promise, this.lost]);
      if (won instanceof DeviceLostError) throw won;
      // A late error of an earlier submit is known by now, since WebGPU reports in order.
      if (this.#failure !== undefined) throw this.#failure;
      return won;
    } catch (error) {
      promise.catch(() => {});
      throw this.#failure ?? error;
    }
  }

  #fail(message: string, cause?: unknown, isOutOfMemory = false): void {
    if (this.#failure !== undefined) return;
    this.#failure = new DeviceLostError(message, { cause, isOutOfMemory });
    this.#resolveLost(this.#failure);
  }
}

function buffersOf(command: Command): readonly DeviceBuffer[] {
  return command.kind === "copy" ? [command.source, command.target] : command.buffers;
}

/** Whole buffers may be larger than a binding may be. Sizes of bindings are multiples of 4. */
function bindingBytes(kernel: Kernel, binding: number): number {
  const { type = "f32", length = 0 } = kernel.bindings[binding] ?? {};
  return Math.ceil(bytesOfArray(type, length) / 4) * 4;
}

function ownBuffer(what: string, buffer: DeviceBuffer): WebGpuBuffer {
  assert(buffer instanceof WebGpuBuffer, `${what}: expected a buffer of this device`);
  assert(
    !buffer.whole.isDestroyed,
    `${what}: expected a live buffer, found one of ${buffer.bytes} bytes that is destroyed`,
  );
  return buffer;
}
