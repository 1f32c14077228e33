import { OptionError, ShapeError } from "../../../base/errors.ts";
import { formatShape } from "../../layout/shape.ts";
import { normalizeAxis } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import { contractPair } from "./contract-pair.ts";

/**
 * The sum of products over pairs of axes: the last `axes` of `a` with the first of `b` (2), or those of two lists, in
 * order. Result: the other axes of `a`, then those of `b`. @throws OptionError, ShapeError
 */
export function tensordot(
  a: Tensor,
  b: Tensor,
  axes: number | readonly [readonly number[], readonly number[]] = 2,
): Tensor {
  const [ofA, ofB] = typeof axes === "number" ? trailing(a, b, axes) : axes;
  const [left, right] = [ofA.map((axis) => normalizeAxis("tensordot", axis, a.shape.length)), ofB.map((axis) => normalizeAxis("tensordot", axis, b.shape.length))]; // prettier-ignore
  const fits =
    left.length === right.length &&
    new Set(left).size === left.length &&
    new Set(right).size === right.length &&
    left.every((axis, i) => a.shape[axis] === b.shape[right[i] ?? -1]);
  if (!fits) {
    throw new ShapeError(
      `tensordot: expected distinct axes of equal sizes, found ${formatShape(left)} of ${formatShape(a.shape)} and ${formatShape(right)} of ${formatShape(b.shape)}`,
    );
  }
  const labels = a.shape.map((_, axis) => axis);
  const others = b.shape.map((_, axis) => (right.includes(axis) ? (left[right.indexOf(axis)] ?? 0) : labels.length + axis)); // prettier-ignore
  const kept = new Set([...labels.filter((label) => !left.includes(label)), ...others.filter((label) => label >= labels.length)]); // prettier-ignore
  return contractPair({ x: a, labels }, { x: b, labels: others }, kept).x;
}

function trailing(a: Tensor, b: Tensor, count: number): [number[], number[]] {
  if (!Number.isInteger(count) || count < 0 || count > Math.min(a.shape.length, b.shape.length)) {
    throw new OptionError(`tensordot: expected a number of axes that both have, found ${count}`);
  }
  const list = Array.from({ length: count }, (_, i) => i);
  return [list.map((i) => a.shape.length - count + i), list];
}
