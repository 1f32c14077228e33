/** Padding layers. Each takes one number for all sides, or [before, after] for the last axis, then for the one before it. */
import { OptionError } from "../../base/errors.ts";
import { pad } from "../../compute/tensor/ops/pad.ts";
import type { PadMode } from "../../compute/tensor/ops/pad.ts";
import type { Tensor } from "../../compute/tensor/tensor.ts";
import { Module } from "./module.ts";

/** A number for all sides, or two for each axis, the last axis first. */
export type Sides = number | readonly number[];

abstract class Pad extends Module {
  readonly padding: readonly number[];
  readonly #mode: PadMode;
  readonly #value: number;

  protected constructor(rank: number, padding: Sides, mode: PadMode, value = 0) {
    super();
    this.padding = typeof padding === "number" ? Array.from({ length: 2 * rank }, () => padding) : padding;
    this.#mode = mode;
    this.#value = value;
    if (this.padding.length !== 2 * rank) {
      throw new OptionError(
        `${this.constructor.name}: expected one or ${2 * rank} numbers, found ${this.padding.length}`,
      );
    }
  }

  forward(x: Tensor): Tensor {
    return pad(x, this.padding, this.#mode, this.#value);
  }
}

/** `value` around [.., L] -> [.., left + L + right]. */
export class ConstantPad1d extends Pad {
  constructor(padding: Sides, value: number) {
    super(1, padding, "constant", value);
  }
}

/** `value` around [.., H, W] -> [.., top + H + bottom, left + W + right]. */
export class ConstantPad2d extends Pad {
  constructor(padding: Sides, value: number) {
    super(2, padding, "constant", value);
  }
}

/** `value` around [.., D, H, W]: sizes grow by the elements on both sides. */
export class ConstantPad3d extends Pad {
  constructor(padding: Sides, value: number) {
    super(3, padding, "constant", value);
  }
}

/** Zeros around [.., L] -> [.., left + L + right]. */
export class ZeroPad1d extends Pad {
  constructor(padding: Sides) {
    super(1, padding, "constant");
  }
}

/** Zeros around [.., H, W] -> [.., top + H + bottom, left + W + right]. */
export class ZeroPad2d extends Pad {
  constructor(padding: Sides) {
    super(2, padding, "constant");
  }
}

/** Zeros around [.., D, H, W]: sizes grow by the elements on both sides. */
export class ZeroPad3d extends Pad {
  constructor(padding: Sides) {
    super(3, padding, "constant");
  }
}

/** Elements mirrored at the edges around [.., L] -> [.., left + L + right]. */
export class ReflectionPad1d extends Pad {
  constructor(padding: Sides) {
    super(1, padding, "reflect");
  }
}

/** Elements mirrored at the edges around [.., H, W] -> [.., top + H + bottom, left + W + right]. */
export class ReflectionPad2d extends Pad {
  constructor(padding: Sides) {
    super(2, padding, "reflect");
  }
}

/** Elements mirrored at the edges around [.., D, H, W]: sizes grow by the elements on both sides. */
export class ReflectionPad3d extends Pad {
  constructor(padding: Sides) {
    super(3, padding, "reflect");
  }
}

/** The edges' elements around [.., L] -> [.., left + L + right]. */
export class ReplicationPad1d extends Pad {
  constructor(padding: Sides) {
    super(1, padding, "replicate");
  }
}

/** The edges' elements around [.., H, W] -> [.., top + H + bottom, left + W + right]. */
export class ReplicationPad2d extends Pad {
  constructor(padding: Sides) {
    super(2, padding, "replicate");
  }
}

/** The edges' elements around [.., D, H, W]: sizes grow by the elements on both sides. */
export class ReplicationPad3d extends Pad {
  constructor(padding: Sides) {
    super(3, padding, "replicate");
  }
}

/** The other end's elements around [.., L] -> [.., left + L + right]. */
export class CircularPad1d extends Pad {
  constructor(padding: Sides) {
    super(1, padding, "circular");
  }
}

/** The other end's elements around [.., H, W] -> [.., top + H + bottom, left + W + right]. */
export class CircularPad2d extends Pad {
  constructor(padding: Sides) {
    super(2, padding, "circular");
  }
}

/** The other end's elements around [.., D, H, W]: sizes grow by the elements on both sides. */
export class CircularPad3d extends Pad {
  constructor(padding: Sides) {
    super(3, padding, "circular");
  }
}
