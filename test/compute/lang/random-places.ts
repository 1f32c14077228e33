/** Seeded random kernels that load and store wherever they should not: beyond both ends, far away, at what was no number. */
import type { Random } from "../../../src/base/random.ts";
import * as build from "../../../src/compute/lang/build.ts";
import { constant, invocationOf } from "../../../src/compute/lang/expr.ts";
import type { Binding, Expr, Kernel, Statement } from "../../../src/compute/lang/kernel.ts";
import { store } from "../../../src/compute/lang/statements.ts";
import type { Arrays } from "./check-kernels.ts";

const { add, bitcast, cast, f32, i32, load, multiply, negate, xor } = build;

/** Of arrays of indices, the constants in them, and of what is stored. */
const LENGTHS = [1, 3, 4, 5, 64, 67, 40_000] as const;
const INVOCATIONS = [3, 4, 61, 64] as const;
/** Elements of the arrays that hold indices. */
const INDICES = 64;

/** A kernel and the arrays for it. */
export interface PlacesCase {
  readonly kernel: Kernel;
  readonly arrays: Arrays;
}

/**
 * Bindings: i32 indices, u32 indices, floats to make indices of, values to load, and three arrays to store in: what was
 * loaded, one at indices that differ for all invocations, and what an array of the invocation's own gives. Devices may
 * make any integer of what is no number, though it stays inside of the array.
 */
export function randomPlaces(random: Random, { hasNaN }: { readonly hasNaN: boolean }): PlacesCase {
  const invocations = random.pick(INVOCATIONS);
  const [loaded, stored] = [random.pick(LENGTHS), random.pick(LENGTHS)];
  const at = invocationOf(invocations);
  const far = random.pick([0, 1, -1, 7, loaded, -loaded, 2 ** 20, -(2 ** 20), 2 ** 28 + 5, 2 ** 30, -(2 ** 31)]);
  const bindings: Binding[] = [
    { type: "i32", access: "read", length: INDICES },
    { type: "u32", access: "read", length: INDICES },
    { type: "f32", access: "read", length: INDICES },
    { type: "f32", access: "read", length: loaded },
    { type: "f32", access: "write", length: invocations },
    { type: "f32", access: "readWrite", length: stored },
    { type: "f32", access: "write", length: invocations },
  ];
  const anywhere = (): Expr => wherever(random, at, far);
  const value = add(load(3, anywhere(), "f32"), multiply(load(3, anywhere(), "f32"), f32(0.5)));
  const body: Statement[] = [
    store(4, at, value),
    store(5, unique(random, at, far), load(3, anywhere(), "f32")),
    ...ofOwnArray(random, at, anywhere),
  ];
  return { kernel: { name: "places", bindings, invocations, body }, arrays: arraysOf(random, { loaded, stored, invocations, far }, hasNaN) }; // prettier-ignore
}

/** An array of the invocation itself, stored and loaded anywhere. */
function ofOwnArray(random: Random, at: Expr, anywhere: () => Expr): Statement[] {
  const [name, length] = ["own", random.pick([1, 3, 8])];
  const own = (index: Expr): Expr => ({ kind: "loadPrivate", type: "f32", name, index });
  return [
    { kind: "array", name, type: "f32", length },
    { kind: "storePrivate", name, index: anywhere(), value: load(3, at, "f32") },
    { kind: "storePrivate", name, index: anywhere(), value: f32(3) },
    store(6, at, add(own(anywhere()), own(anywhere()))),
  ];
}

/** An index of any kind. */
function wherever(random: Random, at: Expr, far: number): Expr {
  const own = constant("i32", random.below(INDICES));
  const shift = i32(random.pick([far, -far | 0, random.below(9) - 4]));
  const signed = (): Expr =>
    random.pick([
      at,
      load(0, at, "i32"),
      load(0, own, "i32"),
      // The same for all lanes, and one apart.
      add(at, load(0, own, "i32")),
      multiply(at, i32(random.pick([-1, 2, 3, 1 << 29]))),
      cast("i32", load(2, at, "f32")),
      cast("i32", load(2, own, "f32")),
    ]);
  const unsigned = (): Expr =>
    random.pick([
      load(1, at, "u32"),
      load(1, own, "u32"),
      add(cast("u32", at), load(1, own, "u32")),
      cast("u32", load(2, at, "f32")),
    ]);
  return random.below(2) === 0 ? add(signed(), shift) : add(unsigned(), bitcast("u32", shift));
}

/** An index that differs for all invocations, whatever wraps: each step can be undone. */
function unique(random: Random, at: Expr, far: number): Expr {
  const own = constant("i32", random.below(INDICES));
  const start = random.pick([at, load(0, at, "i32"), add(at, load(0, own, "i32")), bitcast("i32", load(1, at, "u32"))]);
  const moved = random.pick([start, negate(start), multiply(start, i32(3)), xor(start, i32(random.pick([5, -1])))]);
  const signed = add(moved, i32(random.pick([far, -far | 0, 0])));
  return random.pick([signed, bitcast("u32", signed)]);
}

/** Indices are all different, some of them inside when `far` is added or taken away. */
function arraysOf(
  random: Random,
  sizes: { readonly loaded: number; readonly stored: number; readonly invocations: number; readonly far: number },
  hasNaN: boolean,
): Arrays {
  const { loaded, stored, invocations, far } = sizes;
  const seen = new Set<number>();
  const index = (): number => {
    for (;;) {
      const near = random.below(8 + (random.below(2) === 0 ? 0 : Math.max(loaded, stored))) - 4;
      const found = random.pick([near, near - far, near + far, random.uint32(), 0x7fffffff, -0x80000000, -1]) | 0;
      const other = seen.has(found) ? random.uint32() | 0 : found;
      if (!seen.has(other) && seen.add(other).size > 0) return other;
    }
  };
  const float = (): number =>
    random.pick([
      random.below(loaded + 8) - 4,
      -0.5,
      0.99,
      1e9,
      -1e9,
      3e38,
      -3e38,
      hasNaN ? NaN : 0,
      hasNaN ? Infinity : 1e30,
      hasNaN ? -Infinity : -1e30,
      2 ** 31,
    ]);
  const numbers = (length: number): Float32Array => Float32Array.from({ length }, (_, i) => i + 1);
  const integers = Int32Array.from({ length: INDICES }, index);
  seen.clear();
  const words = Uint32Array.from({ length: INDICES }, index);
  const floats = Float32Array.from({ length: INDICES }, float);
  return [
    integers,
    words,
    floats,
    numbers(loaded),
    new Float32Array(invocations),
    numbers(stored),
    new Float32Array(invocations),
  ];
}
