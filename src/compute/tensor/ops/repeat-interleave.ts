import { OptionError } from "../../../base/errors.ts";
import { formatShape } from "../../layout/shape.ts";
import { hostTensor } from "../host-tensor.ts";
import { normalizeAxis, sizeOf } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import { indexSelect } from "./gather.ts";

/**
 * Each element of `axis` (of all elements in one line, for null) repeated in place, `repeats` times or as often as a
 * list of one count an element says. @throws OptionError
 */
export function repeatInterleave(x: Tensor, repeats: number | readonly number[], axis: number | null = null): Tensor {
  if (axis === null) return repeatInterleave(x.reshape([-1]), repeats, 0);
  const at = normalizeAxis("repeatInterleave", axis, x.shape.length);
  const size = sizeOf(x.shape, at);
  const counts = typeof repeats === "number" ? [repeats] : repeats;
  const isPerElement = typeof repeats !== "number" && counts.length !== 1;
  if ((isPerElement && counts.length !== size) || !counts.every((count) => Number.isInteger(count) && count >= 0)) {
    throw new OptionError(`repeatInterleave: expected one count from 0, or one for each of ${size}, found ${formatShape(counts)}`); // prettier-ignore
  }
  if (!isPerElement) return repeatEach(x, sizeOf(counts, 0), at);
  const places = Int32Array.from(counts.flatMap((count, place) => Array.from({ length: count }, () => place)));
  return indexSelect(x, at, hostTensor(places));
}

/** A view: no bytes move. */
function repeatEach(x: Tensor, count: number, axis: number): Tensor {
  const { shape } = x;
  const [before, after] = [shape.slice(0, axis), shape.slice(axis + 1)];
  const size = sizeOf(shape, axis);
  return x
    .unsqueeze(axis + 1)
    .expand([...before, size, count, ...after])
    .reshape([...before, size * count, ...after]);
}
