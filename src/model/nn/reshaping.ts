/** Layers that change nothing but the shape. */
import { OptionError } from "../../base/errors.ts";
import { formatShape } from "../../compute/layout/shape.ts";
import { inferShape, normalizeAxis, sizeOf } from "../../compute/tensor/shapes.ts";
import type { Tensor } from "../../compute/tensor/tensor.ts";
import { Module } from "./module.ts";

/** Gives what it gets: [..] -> the same. Arguments of the constructor count for nothing. */
export class Identity extends Module {
  constructor(..._ignored: readonly unknown[]) {
    super();
  }

  forward(x: Tensor): Tensor {
    return x;
  }
}

/** Axes `first` to `last`, inclusive, merged into one: all but the first by default, [B, a, b] -> [B, a b]. */
export class Flatten extends Module {
  readonly first: number;
  readonly last: number;

  constructor(first = 1, last = -1) {
    super();
    this.first = first;
    this.last = last;
  }

  forward(x: Tensor): Tensor {
    return x.flatten(this.first, this.last);
  }
}

/** `axis` as several axes of the given sizes, of which one may be -1: [B, a b] -> [B, a, b]. */
export class Unflatten extends Module {
  readonly axis: number;
  readonly sizes: readonly number[];

  constructor(axis: number, sizes: readonly number[]) {
    super();
    if (sizes.length === 0) throw new OptionError(`Unflatten: expected sizes, found ${formatShape(sizes)}`);
    this.axis = axis;
    this.sizes = sizes;
  }

  forward(x: Tensor): Tensor {
    const at = normalizeAxis("Unflatten", this.axis, x.shape.length);
    const sizes = inferShape("Unflatten", this.sizes, sizeOf(x.shape, at));
    return x.reshape([...x.shape.slice(0, at), ...sizes, ...x.shape.slice(at + 1)]);
  }
}
