/** Calls kernels' functions: puts the addresses of their arrays where they look for them, and gives them scratch memory. */
import { InvariantError } from "../../../base/errors.ts";
import type { CompiledModule } from "./compiled-kernels.ts";
import type { LinearMemory } from "./linear-memory.ts";

/** Words of an argument table. */
const ARGUMENTS_MAX = 256;

/** Some invocations of a kernel over arrays. */
export interface Part {
  /** Of the kernel, for errors. */
  readonly name: string;
  readonly compiled: CompiledModule;
  readonly addresses: readonly number[];
  readonly from: number;
  readonly to: number;
}

export class Dispatcher {
  readonly #memory: LinearMemory;
  readonly #argumentsAt: number;
  #scratchAt = 0;
  #scratchBytes = 0;

  constructor(memory: LinearMemory) {
    this.#memory = memory;
    this.#argumentsAt = memory.take(4 * ARGUMENTS_MAX);
  }

  /** @throws InvariantError that names a kernel which trapped */
  run({ name, compiled, addresses, from, to }: Part): void {
    this.#reserve(compiled.scratchBytes);
    new Uint32Array(this.#memory.memory.buffer, this.#argumentsAt, addresses.length).set(addresses);
    try {
      compiled.run(this.#argumentsAt, from, to, this.#scratchAt);
    } catch (cause) {
      const found = cause instanceof Error ? cause.message : String(cause);
      throw new InvariantError(`kernel ${name}: expected it to run to its end, found a trap: ${found}`, { cause });
    }
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#scratchBytes) return;
    if (this.#scratchBytes > 0) this.#memory.give(this.#scratchAt, this.#scratchBytes);
    this.#scratchAt = this.#memory.take(bytes);
    this.#scratchBytes = bytes;
  }
}
