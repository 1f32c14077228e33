/** Images as tensors. Decoding is the platform's: see `DecodeImage`. */
import type { Bytes } from "../../../base/bytes.ts";
import { OptionError } from "../../../base/errors.ts";
import type { HostTensor } from "../host-tensor.ts";

/** Pixels, row by row, four bytes each: red, green, blue, alpha (not premultiplied). */
export interface RgbaImage {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array | Uint8ClampedArray;
}

/** Options of a `DecodeImage`. */
export interface DecodeOptions {
  /** Scale to this many pixels; the image's own size otherwise. Both or none. */
  readonly width?: number;
  readonly height?: number;
}

/** Decodes PNG, JPEG, WebP and what else the platform knows. */
export type DecodeImage = (file: Bytes | Blob, options?: DecodeOptions) => Promise<RgbaImage>;

/** Options of `imageToTensor`. */
export interface ImageToTensorOptions {
  /** 1: luminance; 3: red, green, blue; 4: with alpha. 3 by default. */
  readonly channels?: 1 | 3 | 4;
  /** Subtracted from each channel, after values have been brought to 0 .. 1. One for all, or one a channel. */
  readonly mean?: number | readonly number[];
  /** What each channel is divided by, after that. */
  readonly std?: number | readonly number[];
}

/**
 * An image as float32 [channels, height, width]: (value / 255 - mean) / std.
 * Luminance is 0.299 red + 0.587 green + 0.114 blue (ITU-R BT.601). @throws OptionError
 */
export function imageToTensor(image: RgbaImage, options: ImageToTensorOptions = {}): HostTensor {
  const { channels = 3, mean = 0, std = 1 } = options;
  const { width, height, data } = image;
  const pixels = width * height;
  if (data.length !== 4 * pixels) {
    throw new OptionError(`imageToTensor: expected ${4 * pixels} bytes of ${width} x ${height}, found ${data.length}`);
  }
  const means = perChannel("mean", mean, channels);
  const stds = perChannel("std", std, channels);
  if (!stds.every((value) => value > 0)) throw new OptionError(`imageToTensor: expected std above 0, found ${stds}`);
  const out = new Float32Array(channels * pixels);
  for (let channel = 0; channel < channels; channel++) {
    const [center, scale] = [means[channel] ?? 0, stds[channel] ?? 1];
    for (let pixel = 0; pixel < pixels; pixel++) {
      const at = 4 * pixel;
      const value = channels === 1 ? luminance(data, at) : (data[at + channel] ?? 0);
      out[channel * pixels + pixel] = (value / 255 - center) / scale;
    }
  }
  return { shape: [channels, height, width], data: out, dtype: "float32" };
}

function luminance(data: Uint8Array | Uint8ClampedArray, at: number): number {
  return 0.299 * (data[at] ?? 0) + 0.587 * (data[at + 1] ?? 0) + 0.114 * (data[at + 2] ?? 0);
}

function perChannel(name: string, value: number | readonly number[], channels: number): readonly number[] {
  const values = typeof value === "number" ? new Array<number>(channels).fill(value) : value;
  if (values.length !== channels || !values.every(Number.isFinite)) {
    throw new OptionError(`imageToTensor: expected ${name} of ${channels} numbers, found ${values.join(", ")}`);
  }
  return values;
}
