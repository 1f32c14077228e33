/** Random numbers of a key: the only op that draws. The same bits on every device. */
import { OptionError } from "../../../base/errors.ts";
import { Random } from "../../../base/random.ts";
import { binary, cast, constant, random } from "../../compiler/graph.ts";
import type { Node, Shape } from "../../compiler/ir.ts";
import { hostTensor } from "../host-tensor.ts";
import { defaultGenerator } from "../generator.ts";
import type { Generator } from "../generator.ts";
import { nextKey } from "../key-tape.ts";
import { defineOp } from "../op.ts";
import type { Tensor } from "../tensor.ts";
import { currentTrace } from "../trace.ts";

/** Where random numbers come from: a generator on the device, or a host stream that names a key. */
export type RandomNumbers = Generator | Random;

/**
 * Words or whole numbers below a bound (uint32); uniform numbers in [0, 1) of so many bits, or standard normal or
 * exponential ones (float32).
 */
export type Draw =
  | { readonly kind: "bits" | "normal" | "exponential" }
  | { readonly kind: "uniform"; readonly bits: 11 | 24 }
  | { readonly kind: "below"; readonly bound: number };

const op = defineOp<[Tensor], { shape: Shape; draw: Draw }>({
  name: "random",
  forward: ([key], { shape, draw }) => {
    switch (draw.kind) {
      case "uniform":
        return uniform(key, shape, draw.bits);
      case "below":
        return binary("remainder", random(key, shape), constant(draw.bound, shape, "uint32"));
      default:
        return random(key, shape, draw.kind);
    }
  },
  backward: null,
});

/** (word >> (32 - bits)) * 2^-bits: exact. */
function uniform(key: Node, shape: Shape, bits: number): Node {
  const words = random(key, shape);
  const top = cast(binary("divide", words, constant(2 ** (32 - bits), shape, "uint32")), "float32");
  return binary("multiply", top, constant(2 ** -bits, shape, "float32"));
}

/** `draw` for each element of `shape`, under the next key of `from`, or of the default generator. */
export function drawn(operation: string, shape: Shape, draw: Draw, from: RandomNumbers | undefined): Tensor {
  return op([keyOf(operation, from)], { shape, draw });
}

function keyOf(operation: string, from: RandomNumbers | undefined): Tensor {
  if (!(from instanceof Random)) return (from ?? defaultGenerator()).nextKey();
  if (currentTrace() !== null) {
    throw new OptionError(
      `${operation}: expected a Generator inside a compiled function, found a Random, which would give every call the same numbers`,
    );
  }
  return nextKey(() => hostTensor(Uint32Array.of(from.uint32(), from.uint32())));
}
