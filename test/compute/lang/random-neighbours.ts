/** Seeded random kernels that load and store neighbours: whole fours of them, fours with gaps, and others. */
import type { Random } from "../../../src/base/random.ts";
import { add, bitcast, i32, load, minimum, multiply, remainder, xor } from "../../../src/compute/lang/build.ts";
import { constant, invocationOf } from "../../../src/compute/lang/expr.ts";
import type { Binding, Expr, Kernel, Statement, StoredType } from "../../../src/compute/lang/kernel.ts";
import { assign, forRange, Names, store, varIn, when } from "../../../src/compute/lang/statements.ts";
import { less } from "../../../src/compute/lang/build.ts";

const INVOCATIONS = 16;
const ROUNDS = 3;
/** 4 * 16 * 3 elements and some more; one length is no multiple of 4. */
const LENGTHS = [208, 208, 206];
const TYPES: readonly StoredType[] = ["f32", "i32", "u32", "f16"];

/** Bindings: 0 and 1 are written (i32), the others read. All arithmetic is of integers, so that every bit counts. */
export function randomNeighbours(random: Random, hasFloat16: boolean): Kernel {
  return new Maker(random, hasFloat16).kernel();
}

/** The bytes of a kernel's arrays: any integers; floats are small whole numbers. */
export function randomBytes(random: Random, { bindings }: Kernel): Uint8Array[] {
  return bindings.map(({ type, length }) => {
    const words = Array.from({ length }, () => random.below(1000));
    // 15360 + n are the bits of halves from 1 to 2.
    if (type === "f16") return new Uint8Array(Uint16Array.from(words, (n) => 15360 + n).buffer);
    return new Uint8Array((type === "f32" ? Float32Array.from(words) : Int32Array.from(words)).buffer);
  });
}

class Maker {
  readonly #random: Random;
  readonly #names = new Names();
  readonly #at = invocationOf(INVOCATIONS);
  readonly #bindings: readonly Binding[];

  constructor(random: Random, hasFloat16: boolean) {
    this.#random = random;
    const types = hasFloat16 ? TYPES : TYPES.slice(0, 3);
    const read = Array.from({ length: 3 }, (): Binding => {
      return { type: random.pick(types), access: "read", length: random.pick(LENGTHS) };
    });
    const written: Binding = { type: "i32", access: "write", length: 4 * INVOCATIONS };
    this.#bindings = [written, written, ...read];
  }

  kernel(): Kernel {
    const total = varIn(this.#names, "total", i32(7));
    const body: Statement[] = [total.statement];
    const sum = (base: Expr): Statement[] => [assign(total.use, this.#mix([total.use, ...this.#loads(base)]))];
    body.push(...sum(multiply(this.#at, i32(4))));
    const loop = forRange(this.#names, "round", i32(0), i32(ROUNDS), (round) =>
      sum(add(multiply(round, i32(64)), multiply(this.#at, i32(4)))),
    );
    const inner = this.#random.below(3) === 0 ? [when(less(this.#at, i32(9)), [loop])] : [loop];
    body.push(...inner, ...this.#stores(total.use));
    return { name: "neighbours", bindings: this.#bindings, invocations: INVOCATIONS, body };
  }

  /** Loads at `base` + 0 to 7, of which some may be missing. */
  #loads(base: Expr): Expr[] {
    const random = this.#random;
    return Array.from({ length: 1 + random.below(3) }, () => {
      const binding = 2 + random.below(3);
      const isWhole = random.below(3) > 0;
      const places = Array.from({ length: 8 }, (_, i) => i).filter(() => isWhole || random.below(4) > 0);
      const shift = random.pick([0, 0, 4, 1]);
      return places.map((place) => this.#load(binding, this.#place(base, place + shift)));
    }).flat();
  }

  #place(base: Expr, offset: number): Expr {
    const place = add(base, i32(offset));
    const odd = this.#random.below(12);
    if (odd === 0) return minimum(place, i32(99));
    return odd === 1 ? remainder(place, i32(64)) : place;
  }

  #load(binding: number, index: Expr): Expr {
    const type = this.#bindings[binding]?.type ?? "i32";
    return bitcast("i32", load(binding, index, type === "f16" ? "f32" : type));
  }

  /** All lanes store their four, mostly side by side. */
  #stores(total: Expr): Statement[] {
    const random = this.#random;
    const base = multiply(this.#at, i32(4));
    const all = [0, 1].flatMap((binding) => {
      const isWhole = random.below(4) > 0;
      return [0, 1, 2, 3]
        .filter((i) => isWhole || i !== 2)
        .map((i) => store(binding, add(base, i32(i)), this.#mix([total, constant("i32", i), ...this.#loads(base)])));
    });
    const out: Statement[] = [];
    while (all.length > 0) out.push(...all.splice(random.below(3) > 0 ? 0 : random.below(all.length), 1));
    return out;
  }

  #mix(values: readonly Expr[]): Expr {
    return values.reduce((a, b) => xor(multiply(a, i32(31)), b));
  }
}
