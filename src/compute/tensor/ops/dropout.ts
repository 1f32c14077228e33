import { OptionError } from "../../../base/errors.ts";
import { random } from "../../compiler/graph.ts";
import type { Shape } from "../../compiler/ir.ts";
import { defineOp } from "../op.ts";
import type { Tensor } from "../tensor.ts";
import type { Generator } from "../generator.ts";
import { where } from "./where.ts";

const words = defineOp<[Tensor], { shape: Shape }>({
  name: "random",
  forward: ([key], { shape }) => random(key, shape),
  backward: null,
});

export interface DropoutOptions {
  /** The share of elements that becomes 0. */
  readonly p?: number;
  /** False: nothing is dropped. */
  readonly training?: boolean;
  /** Where the bits come from; each call draws a key of its own. */
  readonly generator: Generator;
}

/** Zeroes elements with probability p and scales the others by 1 / (1 - p), so that the mean stays. @throws OptionError */
export function dropout(x: Tensor, { p = 0.5, training = true, generator }: DropoutOptions): Tensor {
  if (!(p >= 0 && p <= 1)) throw new OptionError(`dropout: expected p from 0 to 1, found ${p}`);
  if (!training || p === 0) return x;
  if (p === 1) return x.mul(0);
  const uniform = words([generator.nextKey()], { shape: x.shape })
    .cast("float32")
    .mul(2 ** -32);
  return where(uniform.ge(p), x.mul(1 / (1 - p)), 0);
}
