/**
 * Where a printed function keeps things: names in locals, or in scratch memory where they live on while other vectors of
 * their workgroup run; arrays in memory.
 */
import { assert, present } from "../../../base/assert.ts";
import type { ArrayPlace } from "../array-place.ts";
import type { ScalarType } from "../kernel.ts";
import type { Code, Local, WasmType } from "./code.ts";
import type { Push } from "./vector-math.ts";

/** Bytes of a vector. */
export const VECTOR_BYTES = 16;

/** An array in memory: element i is `base + offset + (i << shift)`. */
export interface ArrayAddress {
  readonly base: Local;
  readonly offset: number;
  readonly shift: number;
  /** Each element is a vector, with an element a lane. */
  readonly isPerLane: boolean;
}

/** A named value. */
export interface Slot {
  readonly type: WasmType;
  readonly local?: Local;
  /** In the scratch memory of the vector at hand. */
  readonly offset?: number;
}

/** The scratch memory of a function, in bytes: what is in it, and how much. */
export class Frame {
  readonly code: Code;
  /** The address of scratch memory. */
  readonly scratch: Local;
  /** That of the part of the vector at hand, where there is one for each vector of a workgroup. */
  readonly vectorScratch: Local;
  /** Vectors of a workgroup that run in turns. */
  readonly vectors: number;
  readonly #arrays = new Map<string, ArrayAddress>();
  #bytes = 0;

  constructor(code: Code, scratch: Local, vectors: number) {
    this.code = code;
    this.scratch = scratch;
    this.vectors = vectors;
    this.vectorScratch = vectors > 1 ? code.local("i32") : scratch;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** `bytes` of scratch memory; where it begins. */
  take(bytes: number): number {
    const at = this.#bytes;
    this.#bytes += Math.ceil(bytes / VECTOR_BYTES) * VECTOR_BYTES;
    return at;
  }

  bind(name: string, address: ArrayAddress): void {
    this.#arrays.set(name, address);
  }

  addressOf(array: ArrayPlace): ArrayAddress {
    return present(this.#arrays.get(array.name), `print: the address of ${array.words}`);
  }

  /** A place for a value of `type`: a local, or one for each vector. */
  slot(type: WasmType, isForAllVectors: boolean): Slot {
    if (!isForAllVectors) return { type, local: this.code.local(type) };
    return { type, offset: this.take(VECTOR_BYTES * this.vectors) };
  }

  read({ type, local, offset }: Slot): void {
    if (local !== undefined) return this.code.get(local);
    this.code.get(this.vectorScratch);
    this.code.memory(type === "v128" ? "v128.load" : type === "f32" ? "f32.load" : "i32.load", offset);
  }

  write({ type, local, offset }: Slot, push: Push): void {
    if (local !== undefined) {
      push();
      return this.code.set(local);
    }
    this.code.get(this.vectorScratch);
    push();
    this.code.memory(type === "v128" ? "v128.store" : type === "f32" ? "f32.store" : "i32.store", offset);
  }
}

/** The type of a local that holds a value of `type` the same in all lanes. */
export function scalarTypeOf(type: ScalarType): WasmType {
  return type === "f32" ? "f32" : "i32";
}

/** log2 of an element's bytes. */
export function shiftOf(bytes: number): number {
  const shift = Math.log2(bytes);
  assert(Number.isInteger(shift), `print: expected elements of a power of two of bytes, found ${bytes}`);
  return shift;
}
