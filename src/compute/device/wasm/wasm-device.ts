/**
 * The processor as a device: kernels as WebAssembly over one linear memory.
 *
 * What a tab without a GPU trains on. Work runs in slices of about 8 ms between which the event loop runs, so that a
 * worker stays responsive.
 */
import { assert } from "../../../base/assert.ts";
import type { Bytes } from "../../../base/bytes.ts";
import { systemClock, type Clock } from "../../../base/clock.ts";
import { DeviceLostError } from "../../../base/errors.ts";
import { lanesOf, type Kernel } from "../../lang/kernel.ts";
import { checkBufferBytes, checkCommand, checkKernel, checkRange } from "../checks.ts";
import type { Command, Device, DeviceBuffer, DeviceInfo, DeviceKernel, Recording } from "../device.ts";
import { SliceQueue, type Work } from "../slices.ts";
import { yieldByMessage, type YieldToEventLoop } from "../yielding.ts";
import { CompiledKernels, WasmKernel, type CompiledModule } from "./compiled-kernels.ts";
import { Dispatcher } from "./dispatcher.ts";
import { vectorSums } from "./features.ts";
import type { LinearMemory } from "./linear-memory.ts";
import type { ThreadPort } from "./thread.ts";
import { ownBuffer, WasmBuffer } from "./wasm-buffer.ts";

const GIBIBYTE = 2 ** 30;
/** How long one call of a kernel's function should take. */
const CALL_MS = 2;
/** Workgroups that a call has for each of several threads, however long they take. */
const UNITS_A_THREAD = 2;
/** A clock of coarse ticks must not make a call take long. */
const RATE_GROWTH_MAX = 8;

/** What the device is made of. */
export interface WasmDeviceParts {
  readonly memory: LinearMemory;
  /** Whether x * y + z is one instruction. */
  readonly hasMultiplyAdd: boolean;
  /** Lines to threads that serve (`thread.ts`): for a shared memory only. */
  readonly threads?: readonly ThreadPort[];
  readonly clock?: Clock;
  readonly yieldToEventLoop?: YieldToEventLoop;
}

class WasmRecording implements Recording {
  readonly commands: readonly Command[];
  readonly buffers: ReadonlySet<WasmBuffer>;
  /** Makes the work of one submit. */
  readonly starts: readonly (() => Work)[];

  constructor(commands: readonly Command[], buffers: ReadonlySet<WasmBuffer>, starts: readonly (() => Work)[]) {
    this.commands = commands;
    this.buffers = buffers;
    this.starts = starts;
  }
}

export class WasmDevice implements Device {
  readonly info: DeviceInfo;
  readonly lost: Promise<DeviceLostError>;
  readonly #memory: LinearMemory;
  readonly #clock: Clock;
  readonly #queue: SliceQueue;
  readonly #kernels: CompiledKernels;
  readonly #dispatcher: Dispatcher;
  readonly #waiting = new Set<(error: DeviceLostError) => void>();
  #resolveLost: (error: DeviceLostError) => void = () => {};
  #failure: DeviceLostError | undefined;

  constructor(parts: WasmDeviceParts) {
    const { memory, hasMultiplyAdd, threads = [], clock = systemClock, yieldToEventLoop = yieldByMessage } = parts;
    this.info = infoOf(hasMultiplyAdd, threads.length + 1);
    this.#memory = memory;
    this.#clock = clock;
    const sharedPagesMax = memory.isShared ? memory.pagesMax : undefined;
    this.#kernels = new CompiledKernels(memory.memory, { hasMultiplyAdd, sharedPagesMax });
    this.#dispatcher = new Dispatcher(memory, threads);
    this.#queue = new SliceQueue(clock, yieldToEventLoop, (cause) => {
      const found = cause instanceof Error ? cause.message : String(cause);
      this.#lose(new DeviceLostError(`wasm device: expected kernels that run, found: ${found}`, { cause }));
    });
    this.lost = new Promise((resolve) => {
      this.#resolveLost = resolve;
    });
  }

  createBuffer(bytes: number): DeviceBuffer {
    checkBufferBytes(bytes, this.info.limits);
    const start = this.#memory.take(bytes);
    return new WasmBuffer(this.#memory, bytes, start, () => {
      this.#enqueue(() => {
        this.#memory.give(start);
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
    return await this.#afterQueue(() => copyOf(source, bytes));
  }

  /** Several at once, as they are after all commands submitted before. @throws DeviceLostError */
  async readMany(buffers: readonly DeviceBuffer[]): Promise<Bytes[]> {
    const sources = buffers.map((buffer) => ownBuffer("readMany", buffer));
    return await this.#afterQueue(() => sources.map((source) => copyOf(source, source.bytes)));
  }

  async createKernel(kernel: Kernel): Promise<DeviceKernel> {
    if (this.#failure !== undefined) throw this.#failure;
    checkKernel(kernel, this.info);
    const compiled = await this.#kernels.get(kernel);
    this.#dispatcher.introduce(compiled);
    return new WasmKernel(kernel, compiled);
  }

  record(commands: readonly Command[]): Recording {
    const buffers = new Set<WasmBuffer>();
    const starts = commands.map((command) => {
      checkCommand(command);
      const own = buffersOf(command).map((buffer) => ownBuffer("record", buffer));
      for (const buffer of own) buffers.add(buffer);
      return command.kind === "copy" ? this.#startCopy(command) : this.#startDispatch(command.kernel, own);
    });
    return new WasmRecording(commands, buffers, starts);
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
    this.#lose(new DeviceLostError("wasm device: destroyed by its owner"));
  }

  #worksOf(what: string, recording: Recording): Work[] {
    assert(recording instanceof WasmRecording, `${what}: expected a recording of this device`);
    for (const buffer of recording.buffers) ownBuffer(what, buffer);
    return recording.starts.map((start) => start());
  }

  #startDispatch(kernel: DeviceKernel, buffers: readonly WasmBuffer[]): () => Work {
    assert(kernel instanceof WasmKernel, `record: expected a kernel of this device for ${kernel.kernel.name}`);
    const { compiled } = kernel;
    const { invocations, name } = kernel.kernel;
    const { threads } = this.#dispatcher;
    const lanes = lanesOf(kernel.kernel);
    // Each thread has something to do in a call, and may do it twice while another is slow.
    const least = lanes * (threads === 1 ? 1 : UNITS_A_THREAD * threads);
    const addresses = buffers.map(({ address }) => address);
    return () => {
      let from = 0;
      return () => {
        const wanted = Math.floor((compiled.invocationsPerMs * CALL_MS) / lanes) * lanes;
        const to = Math.min(invocations, from + Math.max(least, wanted));
        const startMs = this.#clock.nowMs();
        this.#dispatcher.run({ name, compiled, unit: lanes, addresses, from, to });
        compiled.invocationsPerMs = nextRate(compiled, to - from, this.#clock.nowMs() - startMs);
        from = to;
        return from === invocations;
      };
    };
  }

  #startCopy(command: Command & { kind: "copy" }): () => Work {
    const [source, target] = [ownBuffer("record", command.source), ownBuffer("record", command.target)];
    return () => () => {
      const { sourceOffset, targetOffset, bytes } = command;
      target.bytesAt(targetOffset, targetOffset + bytes).set(source.bytesAt(sourceOffset, sourceOffset + bytes));
      return true;
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
    this.#kernels.clear();
    this.#dispatcher.destroy();
    for (const reject of this.#waiting) reject(error);
    this.#waiting.clear();
    this.#resolveLost(error);
  }
}

function infoOf(hasMultiplyAdd: boolean, threads: number): DeviceInfo {
  return {
    kind: "wasm",
    name: `CPU (WebAssembly${hasMultiplyAdd ? ", relaxed" : ""} SIMD${threads > 1 ? `, ${threads} threads` : ""})`,
    isSoftware: true,
    hasFloat16: true,
    hasSubgroups: true,
    subgroupSize: 4,
    hasVectorLanes: true,
    vectorSums: vectorSums(hasMultiplyAdd),
    threads,
    limits: {
      bindingsMax: 64,
      bindingBytesMax: GIBIBYTE,
      bufferBytesMax: GIBIBYTE,
      workgroupBytesMax: 2 ** 22,
      workgroupLanesMax: 1024,
    },
  };
}

function nextRate({ invocationsPerMs: rate }: CompiledModule, invocations: number, tookMs: number): number {
  const limit = rate * RATE_GROWTH_MAX;
  return tookMs > 0 ? Math.min(limit, invocations / tookMs) : limit;
}

function buffersOf(command: Command): readonly DeviceBuffer[] {
  return command.kind === "copy" ? [command.source, command.target] : command.buffers;
}

function copyOf(buffer: WasmBuffer, bytes: number): Bytes {
  const copy = new Uint8Array(bytes);
  copy.set(buffer.bytesAt(0, bytes));
  return copy;
}
