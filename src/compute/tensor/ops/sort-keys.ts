import { binary, bitcast, cast, constant, expand, reduce, reshape, select } from "../../compiler/graph.ts";
import type { Node } from "../../compiler/ir.ts";
import { defineOp } from "../op.ts";
import type { Tensor } from "../tensor.ts";

/** The bits of infinity: only those of NaN are larger. */
const INFINITY_BITS = 0x7f80_0000;
const SIGN = -0x8000_0000;

const op = defineOp<[Tensor], { descending: boolean }>({
  name: "sortKeys",
  forward: ([x], { descending }) => {
    const keys = keysOf(x);
    return stored(descending ? binary("subtract", constant(-1, keys.shape, "int32"), keys) : keys);
  },
  backward: null,
});

function keysOf(x: Node): Node {
  switch (x.dtype) {
    case "float16":
      return keysOf(cast(x, "float32"));
    case "float32":
      return floatKeys(x);
    case "uint32":
      return binary("add", bitcast(x, "int32"), constant(SIGN, x.shape, "int32"));
    case "int32":
    case "bool":
      return cast(x, "int32");
  }
}

/** Floats are ordered as their magnitudes' bits are, the negative ones backwards; -0 equals 0. */
function floatKeys(x: Node): Node {
  const of = (value: number): Node => constant(value, x.shape, "int32");
  const bits = bitcast(x, "int32");
  const magnitude = binary("and", bits, of(0x7fff_ffff));
  const signed = select(binary("less", bits, of(0)), binary("subtract", of(0), magnitude), magnitude);
  return select(binary("less", of(INFINITY_BITS), magnitude), of(INFINITY_BITS + 1), signed);
}

/**
 * As a result of its own, whoever reads it: all comparisons see the same bits, however often `x` would be computed
 * again and rounded otherwise. (A reduction is always stored: here of two equal elements.)
 */
function stored(keys: Node): Node {
  const pair = expand(reshape(keys, [...keys.shape, 1]), [...keys.shape, 2]);
  return reshape(reduce("maximum", pair, [keys.shape.length]), keys.shape);
}

/**
 * Integers (int32) in the order of `x`: a < b where key(a) < key(b). NaN, of either sign, is greater than all numbers;
 * `descending` turns the order round.
 */
export function sortKeys(x: Tensor, descending = false): Tensor {
  return op([x], { descending });
}
