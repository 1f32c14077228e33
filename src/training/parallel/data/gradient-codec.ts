/**
 * How a run may pack its gradients: each codec by name, on the host, where what others packed is unpacked, and as kernels,
 * which make the same bytes. Here compute and network meet; neither knows of it.
 */
import { OptionError } from "../../../base/errors.ts";
import type { CodecKernels, PackedArray } from "../../../compute/kernels/codecs/chunks.ts";
import { halfKernels } from "../../../compute/kernels/codecs/half.ts";
import { quantizedBytes, quantizeKernels, type Levels } from "../../../compute/kernels/codecs/quantize.ts";
import { keptOf, topKKernels } from "../../../compute/kernels/codecs/top-k.ts";
import type { Codec } from "../../../network/collectives/codecs/codec.ts";
import { float16Codec } from "../../../network/collectives/codecs/float16.ts";
import { int4Codec, int8Codec } from "../../../network/collectives/codecs/quantized.ts";
import { topKCodec } from "../../../network/collectives/codecs/top-k.ts";

/** Of each parameter that goes out: 2, 1.06, 0.56 and 0.16 bytes. */
export type GradientCodec = "float16" | "int8" | "int4" | "topk";

/** One codec, on the host and on devices. */
export interface DeviceCodec {
  readonly host: (seed: number) => Codec;
  readonly kernels: (array: PackedArray) => CodecKernels;
  /** Bytes of a message of `count` values, of which the codec keeps some. */
  readonly bytes: (count: number) => number;
  /** Values of `count` that are sent at all. */
  readonly kept: (count: number) => number;
}

/** Of the values, by top-k. */
const TOP_FRACTION = 0.02;

export const DEVICE_CODECS: Readonly<Record<GradientCodec, DeviceCodec>> = {
  float16: { host: () => float16Codec, kernels: halfKernels, bytes: (count) => 2 * count, kept: (count) => count },
  int8: quantized(127, (seed) => int8Codec({ seed })),
  int4: quantized(7, (seed) => int4Codec({ seed })),
  topk: {
    host: () => topKCodec(TOP_FRACTION),
    kernels: (array) => topKKernels(array, TOP_FRACTION),
    bytes: (count) => 8 + 8 * keptOf(count, TOP_FRACTION),
    kept: (count) => keptOf(count, TOP_FRACTION),
  },
};

function quantized(levels: Levels, host: DeviceCodec["host"]): DeviceCodec {
  return {
    host,
    kernels: (array) => quantizeKernels(array, levels),
    bytes: (count) => quantizedBytes(count, levels),
    kept: (count) => count,
  };
}

/** The codec of that name; null for none. @throws OptionError for another name */
export function gradientCodecOf(name: string | undefined): GradientCodec | null {
  if (name === undefined || name === "none") return null;
  if (Object.hasOwn(DEVICE_CODECS, name)) return name as GradientCodec;
  throw new OptionError(`codec: expected none, ${Object.keys(DEVICE_CODECS).join(", ")}, found ${name}`);
}
