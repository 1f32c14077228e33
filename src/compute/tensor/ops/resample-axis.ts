/** Resampling along one axis: which elements of the input each one of the output is made of, and with which weights. */
import { sizeOf, withSize } from "../shapes.ts";
import { iotaTensor } from "../source.ts";
import type { Tensor } from "../tensor.ts";

/** From one axis' size to another. */
export interface AxisScale {
  /** Elements of the input. */
  readonly size: number;
  /** Elements of the output. */
  readonly outputSize: number;
  /** Elements of the input for each one of the output. */
  readonly step: number;
  /** Whether the first and last elements fall on one another; else the outer edges of the elements do. */
  readonly alignCorners: boolean;
}

/**
 * The element of the input below which, or in which, that of the output begins: floor(o * step), or of its middle
 * with `exact`. Rounded in float32, as PyTorch does it.
 */
export function nearestAlong(x: Tensor, axis: number, { size, outputSize, step }: AxisScale, exact: boolean): Tensor {
  if (outputSize === size) return x;
  if (outputSize % size === 0 && Math.fround(step) === Math.fround(size / outputSize)) {
    return repeatedAlong(x, axis, outputSize / size);
  }
  const place = iotaTensor([outputSize], 0).cast("float32");
  const source = (exact ? place.add(0.5) : place).mul(Math.fround(step)).floor();
  return x.indexSelect(axis, source.cast("int32").minimum(size - 1));
}

/** A view: each element `times` times. */
function repeatedAlong(x: Tensor, axis: number, times: number): Tensor {
  const shape = [...x.shape.slice(0, axis + 1), times, ...x.shape.slice(axis + 1)];
  return x.unsqueeze(axis + 1).expand(shape).reshape(withSize(x.shape, axis, sizeOf(x.shape, axis) * times)); // prettier-ignore
}

/** Between the two neighbours: (1 - t) * x[i] + t * x[i + 1], the place o of the output being i + t in the input. */
export function linearAlong(x: Tensor, axis: number, scale: AxisScale): Tensor {
  const place = sourcePlaces(scale).maximum(0);
  const first = place.floor().minimum(scale.size - 1);
  const share = place.sub(first).minimum(1);
  return weighted(x, axis, scale, first, [share.neg().add(1), share], 0);
}

const CUBIC = -0.75;

/** By a cubic through four neighbours, those outside being the nearest inside (Keys, 1981, with a = -3/4). */
export function cubicAlong(x: Tensor, axis: number, scale: AxisScale): Tensor {
  const place = sourcePlaces(scale);
  const first = place.floor();
  const share = place.sub(first);
  return weighted(x, axis, scale, first, cubicWeights(share), -1);
}

/** The weights of the four neighbours of a place that lies `share` after the second one. */
export function cubicWeights(share: Tensor): [Tensor, Tensor, Tensor, Tensor] {
  // Within distance 1: ((a + 2) d - (a + 3)) d^2 + 1; within 2: a (((d - 5) d + 8) d - 4).
  const near = (d: Tensor): Tensor => d.mul(CUBIC + 2).sub(CUBIC + 3).mul(d.square()).add(1); // prettier-ignore
  const far = (d: Tensor): Tensor => d.sub(5).mul(d).add(8).mul(d).sub(4).mul(CUBIC);
  const rest = share.neg().add(1);
  return [far(share.add(1)), near(share), near(rest), far(rest.add(1))];
}

/** Where each element of the output lies in the input, float32 [outputSize]: 0 is the middle of the first one. */
function sourcePlaces({ size, outputSize, step, alignCorners }: AxisScale): Tensor {
  const place = iotaTensor([outputSize], 0).cast("float32");
  if (alignCorners) return place.mul(outputSize > 1 ? (size - 1) / (outputSize - 1) : 0);
  return place.add(0.5).mul(step).sub(0.5);
}

/** The sum over k of weights[k] * x[first + offset + k], clamped into the axis. `first` and the weights are [outputSize]. */
function weighted(
  x: Tensor,
  axis: number,
  { size, outputSize }: AxisScale,
  first: Tensor,
  weights: readonly Tensor[],
  offset: number,
): Tensor {
  const along = [outputSize, ...x.shape.slice(axis + 1).map(() => 1)];
  const terms = weights.map((weight, k) => {
    const index = first.cast("int32").add(offset + k).maximum(0).minimum(size - 1); // prettier-ignore
    return x.indexSelect(axis, index).mul(weight.reshape(along).cast(x.dtype));
  });
  return terms.reduce((sum, term) => sum.add(term));
}
