/**
 * The device without a GPU: kernels as JavaScript over typed arrays, on the thread that owns it.
 *
 * The oracle of the other devices, and what a tab with neither a GPU nor WebAssembly trains on. Work runs in slices of about 8 ms between
 * which the event loop runs, so that a worker stays responsive. About 1 GFLOP/s.
 */
import { assert } from "../../../base/assert.ts";
import type { Bytes } from "../../../base/bytes.ts";
import { systemClock, type Clock } from "../../../base/clock.ts";
import { DeviceLostError } from "../../../base/errors.ts";
import type { Binding, Kernel } from "../../lang/kernel.ts";
import {
  compileJavaScript,
  printJavaScript,
  type KernelArray,
  type KernelFunction,
} from "../../lang/print-javascript.ts";
import { checkBufferBytes, checkCommand, checkKernel, checkPart, checkRange } from "../checks.ts";
import type { Command, Device, DeviceBuffer, DeviceInfo, DeviceKernel, Recording } from "../device.ts";
import { SliceQueue, type Work } from "../slices.ts";
import { yieldByMessage, type YieldToEventLoop } from "../yielding.ts";

const GIBIBYTE = 2 ** 30;
const INFO: DeviceInfo = {
  kind: "reference",
  name: "CPU (JavaScript)",
  isSoftware: true,
  hasFloat16: true,
  hasSubgroups: true,
  subgroupSize: 32,
  limits: {
    bindingsMax: 16,
    bindingBytesMax: GIBIBYTE,
    bufferBytesMax: GIBIBYTE,
    workgroupBytesMax: 2 ** 15,
    workgroupLanesMax: 1024,
  },
};
/** How long one call of a kernel's function should take. */
const CALL_MS = 2;
/** Before anything is measured: an invocation may be a long loop. */
const FIRST_INVOCATIONS_PER_MS = 4;
/** A clock of coarse ticks must not make a call take long. */
const RATE_GROWTH_MAX = 8;

export interface ReferenceDeviceOptions {
  readonly clock?: Clock;
  readonly yieldToEventLoop?: YieldToEventLoop;
  /** Lanes in a subgroup: 32 unless given. */
  readonly subgroupSize?: number;
  /** Ends the device where lanes race for an element (see `printJavaScript`). For tests: ten times slower. */
  readonly checksRaces?: boolean;
}

class ReferenceBuffer implements DeviceBuffer {
  readonly bytes: number;
  readonly offset: number;
  readonly whole: ReferenceBuffer;
  /** Of the whole. */
  memory: ArrayBuffer;
  isDestroyed = false;
  readonly #free: (buffer: ReferenceBuffer) => void;

  constructor(bytes: number, free: (buffer: ReferenceBuffer) => void, offset = 0, whole?: ReferenceBuffer) {
    this.bytes = bytes;
    this.offset = offset;
    this.whole = whole ?? this;
    this.memory = whole?.memory ?? new ArrayBuffer(bytes);
    this.#free = free;
  }

  part(offset: number, bytes: number): DeviceBuffer {
    checkPart(this, offset, bytes);
    return new ReferenceBuffer(bytes, () => {}, this.offset + offset, this.whole);
  }

  /** Its bytes from `start` up to, not including, `end`. */
  bytesAt(start: number, end: number): Bytes {
    return new Uint8Array(this.whole.memory, this.offset + start, end - start);
  }

  destroy(): void {
    if (this.isDestroyed) return;
    this.isDestroyed = true;
    this.#free(this);
  }
}

class ReferenceKernel implements DeviceKernel {
  readonly kernel: Kernel;
  readonly run: KernelFunction;
  /** Of the last call, roughly. */
  invocationsPerMs = FIRST_INVOCATIONS_PER_MS;

  constructor(kernel: Kernel, run: KernelFunction) {
    this.kernel = kernel;
    this.run = run;
  }
}

class ReferenceRecording implements Recording {
  readonly commands: readonly Command[];
  readonly buffers: ReadonlySet<ReferenceBuffer>;
  /** Makes the work of one submit. */
  readonly starts: readonly (() => Work)[];

  constructor(commands: readonly Command[], buffers: ReadonlySet<ReferenceBuffer>, starts: readonly (() => Work)[]) {
    this.commands = commands;
    this.buffers = buffers;
    this.starts = starts;
  }
}

/** A device on this thread. `createKernel` rejects with UnsupportedError where the page forbids code from text. */
export class ReferenceDevice implements Device {
  readonly info: DeviceInfo;
  readonly lost: Promise<DeviceLostError>;
  readonly #clock: Clock;
  readonly #checksRaces: boolean;
  readonly #queue: SliceQueue;
  /** Kernels that print alike share their function. */
  readonly #functions = new Map<string, KernelFunction>();
  readonly #waiting = new Set<(error: DeviceLostError) => void>();
  #resolveLost: (error: DeviceLostError) => void = () => {};
  #failure: DeviceLostError | undefined;

  constructor(options: ReferenceDeviceOptions = {}) {
    const { clock = systemClock, yieldToEventLoop = yieldByMessage, checksRaces = false } = options;
    this.info = { ...INFO, subgroupSize: options.subgroupSize ?? INFO.subgroupSize };
    this.#clock = clock;
    this.#checksRaces = checksRaces;
    this.#queue = new SliceQueue(clock, yieldToEventLoop, (cause) => {
      this.#lose(new DeviceLostError("reference device: expected kernels that run, found one that threw", { cause }));
    });
    this.lost = new Promise((resolve) => {
      this.#resolveLost = resolve;
    });
  }

  createBuffer(bytes: number): DeviceBuffer {
    checkBufferBytes(bytes, this.info.limits);
    return new ReferenceBuffer(bytes, (buffer) => {
      this.#enqueue(() => {
        buffer.memory = new ArrayBuffer(0);
        return true;
      });
    });
  }

  write(buffer: DeviceBuffer, data: Uint8Array, offset: number = 0): void {
    const target = ownBuffer("write", buffer);
    checkRange("write", buffer, offset, data.byteLength);
    const end = offset + data.byteLength;
    if (this.#queue.isEmpty) return target.bytesAt(offset, end).set(data);
    const copy = data.slice();
    this.#enqueue(() => {
      target.bytesAt(offset, end).set(copy);
      return true;
    });
  }

  async read(buffer: DeviceBuffer, bytes: number = buffer.bytes): Promise<Bytes> {
    const source = ownBuffer("read", buffer);
    checkRange("read", buffer, 0, bytes);
    return await this.#afterQueue(() => source.bytesAt(0, bytes).slice());
  }

  async readMany(buffers: readonly DeviceBuffer[]): Promise<Bytes[]> {
    const sources = buffers.map((buffer) => ownBuffer("readMany", buffer));
    return await this.#afterQueue(() => sources.map((source) => source.bytesAt(0, source.bytes).slice()));
  }

  async createKernel(kernel: Kernel): Promise<DeviceKernel> {
    if (this.#failure !== undefined) throw this.#failure;
    checkKernel(kernel, this.info);
    const source = printJavaScript(kernel, { checksRaces: this.#checksRaces });
    let run = this.#functions.get(source);
    if (run === undefined) {
      run = compileJavaScript(source);
      this.#functions.set(source, run);
    }
    return new ReferenceKernel(kernel, run);
  }

  record(commands: readonly Command[]): Recording {
    const buffers = new Set<ReferenceBuffer>();
    const starts = commands.map((command) => {
      checkCommand(command);
      const own = buffersOf(command).map((buffer) => ownBuffer("record", buffer));
      for (const buffer of own) buffers.add(buffer);
      return command.kind === "copy" ? startCopy(command) : this.#startDispatch(command, own);
    });
    return new ReferenceRecording(commands, buffers, starts);
  }

  submit(recording: Recording): void {
    for (const work of this.#worksOf("submit", recording)) this.#enqueue(work);
  }

  async measure(recording: Recording): Promise<readonly number[]> {
    const works = this.#worksOf("measure", recording);
    const tookMs = works.map(() => 0);
    // Around each call, so that the turns of the event loop between them do not count.
    const timed = works.map((work, i) => () => {
      const startMs = this.#clock.nowMs();
      const isDone = work();
      tookMs[i] = (tookMs[i] ?? 0) + this.#clock.nowMs() - startMs;
      return isDone;
    });
    for (const work of timed) this.#enqueue(work);
    return await this.#afterQueue(() => tookMs);
  }

  async idle(): Promise<void> {
    await this.#afterQueue(() => {});
  }

  destroy(): void {
    this.#lose(new DeviceLostError("reference device: destroyed by its owner"));
  }

  #worksOf(what: string, recording: Recording): Work[] {
    assert(recording instanceof ReferenceRecording, `${what}: expected a recording of this device`);
    for (const buffer of recording.buffers) ownBuffer(what, buffer);
    return recording.starts.map((start) => start());
  }

  #startDispatch(command: Command & { kind: "dispatch" }, buffers: readonly ReferenceBuffer[]): () => Work {
    const { kernel } = command;
    assert(kernel instanceof ReferenceKernel, `record: expected a kernel of this device for ${kernel.kernel.name}`);
    const arrays = kernel.kernel.bindings.map((binding, i) => arrayOf(binding, buffers[i] as ReferenceBuffer));
    const { invocations, workgroup } = kernel.kernel;
    const lanes = workgroup?.lanes ?? 1;
    return () => {
      let from = 0;
      return () => {
        const wanted = Math.floor((kernel.invocationsPerMs * CALL_MS) / lanes) * lanes;
        const to = Math.min(invocations, from + Math.max(lanes, wanted));
        const startMs = this.#clock.nowMs();
        kernel.run(arrays, from, to, this.info.subgroupSize ?? undefined);
        const tookMs = this.#clock.nowMs() - startMs;
        kernel.invocationsPerMs = nextRate(kernel.invocationsPerMs, to - from, tookMs);
        from = to;
        return from === invocations;
      };
    };
  }

  #enqueue(work: Work): void {
    if (this.#failure === undefined) this.#queue.push(work);
  }

  #afterQueue<T>(finish: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure);
      this.#waiting.add(reject);
      this.#queue.push(() => {
        this.#waiting.delete(reject);
        resolve(finish());
        return true;
      });
    });
  }

  #lose(error: DeviceLostError): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#queue.clear();
    this.#functions.clear();
    for (const reject of this.#waiting) reject(error);
    this.#waiting.clear();
    this.#resolveLost(error);
  }
}

function nextRate(rate: number, invocations: number, tookMs: number): number {
  const limit = rate * RATE_GROWTH_MAX;
  return tookMs > 0 ? Math.min(limit, invocations / tookMs) : limit;
}

function buffersOf(command: Command): readonly DeviceBuffer[] {
  return command.kind === "copy" ? [command.source, command.target] : command.buffers;
}

function ownBuffer(what: string, buffer: DeviceBuffer): ReferenceBuffer {
  assert(buffer instanceof ReferenceBuffer, `${what}: expected a buffer of this device`);
  assert(
    !buffer.whole.isDestroyed,
    `${what}: expected a live buffer, found one of ${buffer.bytes} bytes that is destroyed`,
  );
  return buffer;
}

function startCopy(command: Command & { kind: "copy" }): () => Work {
  const source = ownBuffer("record", command.source);
  const target = ownBuffer("record", command.target);
  return () => () => {
    const { sourceOffset, targetOffset, bytes } = command;
    target.bytesAt(targetOffset, targetOffset + bytes).set(source.bytesAt(sourceOffset, sourceOffset + bytes));
    return true;
  };
}

function arrayOf({ type, length }: Binding, buffer: ReferenceBuffer): KernelArray {
  switch (type) {
    case "f32":
      return new Float32Array(buffer.whole.memory, buffer.offset, length);
    case "f16":
      return new Uint16Array(buffer.whole.memory, buffer.offset, length);
    case "i32":
      return new Int32Array(buffer.whole.memory, buffer.offset, length);
    case "u32":
      return new Uint32Array(buffer.whole.memory, buffer.offset, length);
  }
}
