import { OptionError } from "../../../base/errors.ts";
import { formatShape } from "../../layout/shape.ts";
import { normalizeAxis, sizeOf } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import { cat } from "./cat.ts";

/**
 * `x` moved by `shifts` along `axes`; what leaves at one end comes in at the other: out[i] = x[(i - shift) mod n].
 * Without axes all elements are one line. @throws OptionError
 */
export function roll(
  x: Tensor,
  shifts: number | readonly number[],
  axes: number | readonly number[] | null = null,
): Tensor {
  const by = typeof shifts === "number" ? [shifts] : shifts;
  const along = axes === null ? null : typeof axes === "number" ? [axes] : axes;
  if (by.length !== (along?.length ?? 1) || !by.every(Number.isInteger)) {
    throw new OptionError(
      `roll: expected a whole number for each axis, found ${formatShape(by)} for ${formatShape(along ?? [])}`,
    );
  }
  if (along === null) return rollAxis(x.reshape([-1]), sizeOf(by, 0), 0).reshape(x.shape);
  return along.reduce((out, axis, i) => rollAxis(out, sizeOf(by, i), normalizeAxis("roll", axis, x.shape.length)), x);
}

function rollAxis(x: Tensor, shift: number, axis: number): Tensor {
  const size = sizeOf(x.shape, axis);
  const start = size === 0 ? 0 : ((-shift % size) + size) % size;
  if (start === 0) return x;
  return cat([x.narrow(axis, start, size - start), x.narrow(axis, 0, start)], axis);
}
