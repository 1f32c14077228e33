import { OptionError } from "../../../base/errors.ts";
import { formatShape } from "../../layout/shape.ts";
import { sizeOf } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";

/** `x` repeated `repeats[i]` times along axis i, as in PyTorch: extra leading counts add axes. @throws OptionError */
export function repeat(x: Tensor, repeats: readonly number[]): Tensor {
  if (repeats.length < x.shape.length || repeats.some((count) => !Number.isInteger(count) || count < 0)) {
    throw new OptionError(
      `repeat: expected a count from 0 for each of ${x.shape.length} axes, found ${formatShape(repeats)}`,
    );
  }
  const padded = [...repeats.slice(x.shape.length).map(() => 1), ...x.shape];
  const apart = x.reshape(padded.flatMap((size) => [1, size]));
  const repeated = apart.expand(padded.flatMap((size, axis) => [sizeOf(repeats, axis), size]));
  return repeated.reshape(padded.map((size, axis) => size * sizeOf(repeats, axis)));
}

/** As `repeat`, for the last axes when there are fewer counts than axes. @throws OptionError */
export function tile(x: Tensor, repeats: readonly number[]): Tensor {
  const missing = Math.max(0, x.shape.length - repeats.length);
  return repeat(x, [...Array.from({ length: missing }, () => 1), ...repeats]);
}
