import { OptionError } from "../../../base/errors.ts";
import { normalizeAxis } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";

/** `x` turned by `quarters` right angles in the plane of two axes, from the first to the second. @throws OptionError */
export function rot90(x: Tensor, quarters = 1, [from, to]: readonly [number, number] = [0, 1]): Tensor {
  const rank = x.shape.length;
  const a = normalizeAxis("rot90", from, rank);
  const b = normalizeAxis("rot90", to, rank);
  if (a === b || !Number.isInteger(quarters)) {
    throw new OptionError(`rot90: expected a whole number and two distinct axes, found ${quarters}, ${from} and ${to}`);
  }
  switch (((quarters % 4) + 4) % 4) {
    case 1:
      return x.flip(b).transpose(a, b);
    case 2:
      return x.flip([a, b]);
    case 3:
      return x.transpose(a, b).flip(b);
    default:
      return x;
  }
}
