/** Brings the arguments of attention to one form: a batch of key heads, each read by a group of query heads. */
import { OptionError, ShapeError, UnsupportedError } from "../../../base/errors.ts";
import { isFloat } from "../../layout/dtype.ts";
import { MASKED_SCORE, UNSEEN_SCORE } from "../../kernels/attention/attention.ts";
import { elementCount, formatShape } from "../../layout/shape.ts";
import { broadcastShapes, sizeOf } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import { where } from "./where.ts";

/** What is masked is at or below it. */
export const MASKED: number = MASKED_SCORE;
/** The highest score of a query that sees no key is at most this. */
export const UNSEEN: number = UNSEEN_SCORE;

export interface AttentionSettings {
  readonly scale: number;
  /** Query t sees the keys 0 to t + offset only. */
  readonly causal: boolean;
  readonly offset: number;
}

/** B batches and key heads, G query heads for each, T queries, S keys. All floats are float32. */
export interface AttentionOperands {
  /** [B, G, T, D] */
  readonly q: Tensor;
  /** [B, S, D] */
  readonly k: Tensor;
  /** [B, S, E] */
  readonly v: Tensor;
  /** Bool (true attends) or float32 (added), [B, G, T, S] with size 1 where it repeats; null for none. */
  readonly mask: Tensor | null;
  /** What weights are multiplied with after the softmax, by dropout: float32, [B, G, T, S]; null for none. */
  readonly factor: Tensor | null;
}

/** Operands without the factor, and the shape of the result: [.., H, T, E]. */
export interface PreparedOperands extends Omit<AttentionOperands, "factor"> {
  readonly shape: readonly number[];
}

/** q [.., H, T, D], k [.., K, S, D], v [.., K, S, E], with K dividing H; bias and mask broadcast to [.., H, T, S]. @throws ShapeError */
export function attentionOperands(
  inputs: readonly [q: Tensor, k: Tensor, v: Tensor],
  mask: Tensor | null,
): PreparedOperands {
  checkMatrices(inputs);
  const [q, k, v] = inputs.map((x) => (x.shape.length === 2 ? x.unsqueeze(0) : x)) as [Tensor, Tensor, Tensor];
  const [queries, depth, keys, width] = [sizeAt(q, -2), sizeAt(q, -1), sizeAt(k, -2), sizeAt(v, -1)];
  const lead = [q, k, v].map((x) => x.shape.slice(0, -3)).reduce((a, b) => broadcastShapes(NAME, a, b));
  const keyHeads = sizeAt(broadcastShapes(NAME, k.shape.slice(-3, -2), v.shape.slice(-3, -2)), -1);
  const heads = sizeAt(q, -3) === 1 ? keyHeads : sizeAt(q, -3);
  if (keyHeads === 0 ? heads !== 0 : heads % keyHeads !== 0) {
    throw new ShapeError(
      `${NAME}: expected a number of key heads that divides the ${heads} query heads, found ${keyHeads}`,
    );
  }
  const group = keyHeads === 0 ? 1 : heads / keyHeads;
  const batch = elementCount(lead) * keyHeads;
  const leadingRank = Math.max(...inputs.map((x) => x.shape.length)) - 2;
  return {
    q: q
      .expand([...lead, heads, queries, depth])
      .reshape([batch, group, queries, depth])
      .cast("float32"),
    k: k
      .expand([...lead, keyHeads, keys, depth])
      .reshape([batch, keys, depth])
      .cast("float32"),
    v: v
      .expand([...lead, keyHeads, keys, width])
      .reshape([batch, keys, width])
      .cast("float32"),
    mask: mask && maskOperand(mask, [...lead, heads, queries, keys], group),
    shape: [...[...lead, heads].slice(lead.length + 1 - leadingRank), queries, width],
  };
}

const NAME = "scaledDotProductAttention";

function checkMatrices(inputs: readonly Tensor[]): void {
  const [q, k, v] = inputs.map(({ shape }) => shape);
  const fits = inputs.every(({ shape }) => shape.length >= 2) && q?.at(-1) === k?.at(-1) && k?.at(-2) === v?.at(-2);
  if (!fits) {
    throw new ShapeError(
      `${NAME}: expected [.., H, T, D], [.., H, S, D] and [.., H, S, E], found ${inputs.map((x) => formatShape(x.shape)).join(", ")}`,
    );
  }
}

function sizeAt(x: Tensor | readonly number[], axis: number): number {
  const shape = "shape" in x ? x.shape : x;
  return sizeOf(shape, shape.length + axis);
}

/** `mask` as [B or 1, G or 1, T or 1, S or 1]: its own axes of size 1 stay, so that no tile of it is larger than it. */
function maskOperand(mask: Tensor, scores: readonly number[], group: number): Tensor {
  const rank = scores.length;
  if (mask.shape.length > rank || broadcastShapes(NAME, mask.shape, scores).join() !== scores.join()) {
    throw new ShapeError(
      `${NAME}: expected a mask that broadcasts to ${formatShape(scores)}, found ${formatShape(mask.shape)}`,
    );
  }
  const own = [...Array.from({ length: rank - mask.shape.length }, () => 1), ...mask.shape];
  const [lead, heads, matrix] = [own.slice(0, -3), sizeAt(own, -3), own.slice(-2)];
  const keyHeads = sizeAt(scores, -3) / group;
  const split = heads === 1 ? [1, 1] : [keyHeads, group];
  const whole = mask.reshape([...lead, ...split, ...matrix]);
  if ([...lead, ...split.slice(0, 1)].every((size) => size === 1))
    return whole.reshape([1, ...split.slice(1), ...matrix]);
  const batch = [...scores.slice(0, -3), keyHeads];
  return whole
    .expand([...batch, ...split.slice(1), ...matrix])
    .reshape([elementCount(batch), ...split.slice(1), ...matrix]);
}

/** `mask` and `bias` as one: bool where there is no bias, else float32. @throws UnsupportedError, OptionError */
export function combinedMask(mask: Tensor | null, bias: Tensor | null): Tensor | null {
  for (const [name, x] of [
    ["mask", mask],
    ["bias", bias],
  ] as const) {
    const isBoolMask = name === "mask" && x?.dtype === "bool";
    if (x !== null && !isBoolMask && !isFloat(x.dtype)) {
      throw new UnsupportedError(
        `${NAME}: expected a ${name} of ${name === "mask" ? "bool or floats" : "floats"}, found ${x.dtype}`,
      );
    }
  }
  const added = bias && finite(bias);
  if (mask === null) return added;
  if (mask.dtype !== "bool") return added === null ? finite(mask) : finite(mask).add(added);
  return added === null ? mask : where(mask, added, MASKED);
}

/** -Infinity is how PyTorch's users write what is masked. */
function finite(x: Tensor): Tensor {
  return x.cast("float32").clamp({ min: MASKED });
}

/** @throws OptionError unless 0 <= p < 1 */
export function checkDropout(p: number): void {
  if (!(p >= 0 && p < 1)) throw new OptionError(`${NAME}: expected dropoutP from 0 to below 1, found ${p}`);
}
