import { OptionError } from "../../../base/errors.ts";
import type { Tensor } from "../tensor.ts";
import { drawn } from "./draw.ts";
import type { RandomNumbers } from "./draw.ts";
import { argsort } from "./sort.ts";

/**
 * The numbers from 0 to n - 1 in a random order (int32): the order of n random words, ties by place. Exact, so the same
 * on every device. @throws OptionError
 */
export function permutation(n: number, { generator }: { readonly generator?: RandomNumbers } = {}): Tensor {
  if (!(Number.isSafeInteger(n) && n >= 0)) throw new OptionError(`permutation: expected a count from 0, found ${n}`);
  return argsort(drawn("permutation", [n], { kind: "bits" }, generator), 0);
}
