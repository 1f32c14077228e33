/** Options of operations that slide over spatial axes: one number for all of them, or a list with one for each. */
import { OptionError, ShapeError } from "../../../base/errors.ts";
import { formatShape } from "../../layout/shape.ts";
import type { Tensor } from "../tensor.ts";

/** A number for all spatial axes, or one for each, outermost first. */
export type PerAxis = number | readonly number[];

/** One whole number of at least `min` for each of `rank` axes. @throws OptionError */
export function perAxis(operation: string, what: string, value: PerAxis, rank: number, min: number): number[] {
  const given = typeof value === "number" ? [value] : value;
  const list = given.length === 1 ? Array.from({ length: rank }, () => given[0] ?? Number.NaN) : [...given];
  if (list.length !== rank || !list.every((n) => Number.isInteger(n) && n >= min)) {
    throw new OptionError(
      `${operation}: expected ${what} to be ${rank === 1 ? "a whole number" : `one or ${rank} whole numbers`} from ${min}, found ${typeof value === "number" ? value : formatShape(value)}`,
    );
  }
  return list;
}

const LETTERS = ["D", "H", "W"];

/** "[B, C, H, W]", for messages. */
export function imageAxes(rank: number): string {
  return `[B, C, ${(rank === 1 ? ["L"] : LETTERS.slice(-rank)).join(", ")}]`;
}

/**
 * Applies `fn` to `x` [B, C, ...spatial]; one without B is a batch of one, and loses it again. @throws ShapeError for
 * another rank
 */
export function onBatch(operation: string, rank: number, x: Tensor, fn: (x: Tensor) => Tensor): Tensor {
  if (x.shape.length === rank + 1) return fn(x.unsqueeze(0)).squeeze(0);
  if (x.shape.length === rank + 2) return fn(x);
  throw new ShapeError(`${operation}: expected ${imageAxes(rank)}, with or without B, found ${formatShape(x.shape)}`);
}
