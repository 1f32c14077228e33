/** Layers that change the spatial size without parameters. */
import { interpolate } from "../../compute/tensor/ops/interpolate.ts";
import type { InterpolateOptions } from "../../compute/tensor/ops/interpolate.ts";
import { pixelShuffle, pixelUnshuffle } from "../../compute/tensor/ops/pixel-shuffle.ts";
import type { Tensor } from "../../compute/tensor/tensor.ts";
import { Module } from "./module.ts";

/** [B, C, ...spatial] -> [B, C, ...other], resampled to `size` or by `scaleFactor`: see `functional.interpolate`. */
export class Upsample extends Module {
  readonly options: InterpolateOptions;

  constructor(options: InterpolateOptions) {
    super();
    this.options = options;
  }

  forward(x: Tensor): Tensor {
    return interpolate(x, this.options);
  }
}

/** `Upsample` with mode "nearest": [B, C, H, W] -> [B, C, OH, OW]. */
export class UpsamplingNearest2d extends Upsample {
  constructor(options: Pick<InterpolateOptions, "size" | "scaleFactor">) {
    super({ ...options, mode: "nearest" });
  }
}

/** `Upsample` with mode "bilinear" and aligned corners: [B, C, H, W] -> [B, C, OH, OW]. */
export class UpsamplingBilinear2d extends Upsample {
  constructor(options: Pick<InterpolateOptions, "size" | "scaleFactor">) {
    super({ ...options, mode: "bilinear", alignCorners: true });
  }
}

/** [.., C r^2, H, W] -> [.., C, H r, W r]. */
export class PixelShuffle extends Module {
  readonly upscaleFactor: number;

  constructor(upscaleFactor: number) {
    super();
    this.upscaleFactor = upscaleFactor;
  }

  forward(x: Tensor): Tensor {
    return pixelShuffle(x, this.upscaleFactor);
  }
}

/** [.., C, H r, W r] -> [.., C r^2, H, W]. */
export class PixelUnshuffle extends Module {
  readonly downscaleFactor: number;

  constructor(downscaleFactor: number) {
    super();
    this.downscaleFactor = downscaleFactor;
  }

  forward(x: Tensor): Tensor {
    return pixelUnshuffle(x, this.downscaleFactor);
  }
}
