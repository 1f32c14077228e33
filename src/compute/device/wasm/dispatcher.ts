/** Calls kernels' functions: puts the addresses of their arrays where they look for them, and gives them scratch memory. */
import { assert } from "../../../base/assert.ts";
import { InvariantError } from "../../../base/errors.ts";
import type { CompiledModule } from "./compiled-kernels.ts";
import type { LinearMemory } from "./linear-memory.ts";
import { CONTROL_BYTES } from "./thread-control.ts";
import { ThreadPool } from "./thread-pool.ts";
import type { ThreadPort } from "./thread.ts";

/** Words of an argument table. */
const ARGUMENTS_MAX = 256;
/** Shorter work is done by one thread: to share it takes some microseconds. */
const SHARED_MS_MIN = 0.04;
/** Chunks of a part that is shared: enough for threads of any speed to end together. */
const CHUNKS = 24;
/** Threads' scratch memories lie so far apart that none writes where another one's cache line is. */
const APART_BYTES = 256;

/** Some invocations of a kernel over arrays. */
export interface Part {
  /** Of the kernel, for errors. */
  readonly name: string;
  readonly compiled: CompiledModule;
  /** Chunks begin at multiples of it: a workgroup's lanes. */
  readonly unit: number;
  readonly addresses: readonly number[];
  readonly from: number;
  readonly to: number;
}

export class Dispatcher {
  readonly #memory: LinearMemory;
  readonly #argumentsAt: number;
  readonly #pool: ThreadPool | undefined;
  #scratchAt = 0;
  #scratchStride = 0;

  constructor(memory: LinearMemory, ports: readonly ThreadPort[]) {
    this.#memory = memory;
    this.#argumentsAt = memory.take(4 * ARGUMENTS_MAX);
    if (ports.length > 0) this.#pool = new ThreadPool(memory.memory, memory.take(CONTROL_BYTES), ports);
  }

  /** Threads that take part, at most. */
  get threads(): number {
    return this.#pool?.count ?? 1;
  }

  /** Makes a kernel known to all threads, before it is first run. */
  introduce(compiled: CompiledModule): void {
    this.#pool?.introduce(compiled);
  }

  /** @throws InvariantError that names a kernel which trapped */
  run(part: Part): void {
    const { name, compiled, addresses, from, to } = part;
    assert(addresses.length <= ARGUMENTS_MAX, `kernel ${name}: expected at most ${ARGUMENTS_MAX} arrays`);
    this.#reserve(compiled.scratchBytes);
    new Uint32Array(this.#memory.memory.buffer, this.#argumentsAt, addresses.length).set(addresses);
    try {
      const isShort = to - from < 2 * part.unit || to - from < compiled.invocationsPerMs * SHARED_MS_MIN;
      if (isShort || this.#pool?.hasHelp !== true) return compiled.run(this.#argumentsAt, from, to, this.#scratchAt);
      if (!this.#share(part, this.#pool)) return;
    } catch (cause) {
      const found = cause instanceof Error ? cause.message : String(cause);
      throw new InvariantError(`kernel ${name}: expected it to run to its end, found a trap: ${found}`, { cause });
    }
    throw new InvariantError(`kernel ${name}: expected it to run to its end, found a trap in a thread`);
  }

  destroy(): void {
    this.#pool?.close();
  }

  /** True where a thread failed. */
  #share({ compiled, unit, from, to }: Part, pool: ThreadPool): boolean {
    const units = Math.ceil((to - from) / unit / CHUNKS);
    const words = {
      kernel: compiled.id,
      argumentsAt: this.#argumentsAt,
      scratchAt: this.#scratchAt,
      scratchStride: this.#scratchStride,
      from,
      to,
      chunk: units * unit,
    };
    return pool.share(words, (_, start, end) => compiled.run(this.#argumentsAt, start, end, this.#scratchAt));
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#scratchStride) return;
    if (this.#scratchStride > 0) this.#memory.give(this.#scratchAt);
    this.#scratchStride = Math.ceil(bytes / APART_BYTES) * APART_BYTES + APART_BYTES;
    this.#scratchAt = this.#memory.take(this.#scratchStride * this.threads);
  }
}
