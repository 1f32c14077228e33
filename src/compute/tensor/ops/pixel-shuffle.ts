import { OptionError, ShapeError } from "../../../base/errors.ts";
import { formatShape } from "../../layout/shape.ts";
import type { Tensor } from "../tensor.ts";

/**
 * Channels become places: [.., C r^2, H, W] -> [.., C, H r, W r], out[c, h r + i, w r + j] = x[c r^2 + i r + j, h, w]
 * (Shi et al., 2016). @throws ShapeError, OptionError
 */
export function pixelShuffle(x: Tensor, upscaleFactor: number): Tensor {
  checkFactor("pixelShuffle", upscaleFactor);
  const r = upscaleFactor;
  const [channels = 0, height = 0, width = 0] = x.shape.slice(-3);
  if (x.shape.length < 3 || channels % r ** 2 !== 0) {
    throw new ShapeError(`pixelShuffle: expected [.., C * ${r ** 2}, H, W], found ${formatShape(x.shape)}`);
  }
  const before = x.shape.slice(0, -3);
  const first = before.length;
  const apart = x.reshape([...before, channels / r ** 2, r, r, height, width]);
  const order = [...before.map((_, axis) => axis), first, first + 3, first + 1, first + 4, first + 2];
  return apart.permute(order).reshape([...before, channels / r ** 2, height * r, width * r]);
}

/** The inverse of `pixelShuffle`: [.., C, H r, W r] -> [.., C r^2, H, W]. @throws ShapeError, OptionError */
export function pixelUnshuffle(x: Tensor, downscaleFactor: number): Tensor {
  checkFactor("pixelUnshuffle", downscaleFactor);
  const r = downscaleFactor;
  const [channels = 0, height = 0, width = 0] = x.shape.slice(-3);
  if (x.shape.length < 3 || height % r !== 0 || width % r !== 0) {
    throw new ShapeError(`pixelUnshuffle: expected [.., C, H * ${r}, W * ${r}], found ${formatShape(x.shape)}`);
  }
  const before = x.shape.slice(0, -3);
  const first = before.length;
  const apart = x.reshape([...before, channels, height / r, r, width / r, r]);
  const order = [...before.map((_, axis) => axis), first, first + 2, first + 4, first + 1, first + 3];
  return apart.permute(order).reshape([...before, channels * r ** 2, height / r, width / r]);
}

function checkFactor(operation: string, factor: number): void {
  if (!Number.isInteger(factor) || factor < 1) {
    throw new OptionError(`${operation}: expected a factor that is a whole number from 1, found ${factor}`);
  }
}
