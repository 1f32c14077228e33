/**
 * How a run may pack its gradients: each codec by name, on the host, where what others packed is unpacked, and as kernels,
 * which make the same messages: the same bytes, but for PowerSGD's factors, which each device rounds its way. Here compute
 * and network meet; neither knows of it.
 */
import { OptionError } from "../../../base/errors.ts";
import type { CodecKernels, PackedArray } from "../../../compute/kernels/codecs/chunks.ts";
import { halfKernels } from "../../../compute/kernels/codecs/half.ts";
import { columnsOf, powerSgdBytes, powerSgdKernels } from "../../../compute/kernels/codecs/power-sgd.ts";
import { quantizedBytes, quantizeKernels, type Levels } from "../../../compute/kernels/codecs/quantize.ts";
import { keptOf, topKKernels } from "../../../compute/kernels/codecs/top-k.ts";
import type { Codec } from "../../../network/collectives/codecs/codec.ts";
import { float16Codec } from "../../../network/collectives/codecs/float16.ts";
import { powerSgdCodec } from "../../../network/collectives/codecs/power-sgd.ts";
import { int4Codec, int8Codec } from "../../../network/collectives/codecs/quantized.ts";
import { topKCodec } from "../../../network/collectives/codecs/top-k.ts";

/**
 * Of each parameter that goes out: 2, 1.06, 0.56 and 0.16 bytes; of n that go to one owner, PowerSGD sends 32 sqrt(n)
 * bytes.
 */
export type GradientCodec = "float16" | "int8" | "int4" | "topk" | "powersgd";

/** One codec, on the host and on devices. */
export interface DeviceCodec {
  readonly host: (seed: number) => Codec;
  readonly kernels: (array: PackedArray) => CodecKernels;
  /** Bytes of a message of `count` values. */
  readonly bytes: (count: number) => number;
  /** What the table says of a chunk of `count` values. */
  readonly extent: (count: number) => number;
}

/** Of the values, by top-k. */
const TOP_FRACTION = 0.02;
/** Columns of PowerSGD's factors. */
const POWER_RANK = 4;

export const DEVICE_CODECS: Readonly<Record<GradientCodec, DeviceCodec>> = {
  float16: { host: () => float16Codec, kernels: halfKernels, bytes: (count) => 2 * count, extent: (count) => count },
  int8: quantized(127, (seed) => int8Codec({ seed })),
  int4: quantized(7, (seed) => int4Codec({ seed })),
  topk: {
    host: () => topKCodec(TOP_FRACTION),
    kernels: (array) => topKKernels(array, TOP_FRACTION),
    bytes: (count) => 8 + 8 * keptOf(count, TOP_FRACTION),
    extent: (count) => keptOf(count, TOP_FRACTION),
  },
  powersgd: {
    host: (seed) => powerSgdCodec(POWER_RANK, { seed }),
    kernels: (array) => powerSgdKernels(array, POWER_RANK),
    bytes: (count) => powerSgdBytes(count, POWER_RANK),
    extent: columnsOf,
  },
};

function quantized(levels: Levels, host: DeviceCodec["host"]): DeviceCodec {
  return {
    host,
    kernels: (array) => quantizeKernels(array, levels),
    bytes: (count) => quantizedBytes(count, levels),
    extent: (count) => count,
  };
}

/** The codec of that name; null for none. @throws OptionError for another name */
export function gradientCodecOf(name: string | undefined): GradientCodec | null {
  if (name === undefined || name === "none") return null;
  if (Object.hasOwn(DEVICE_CODECS, name)) return name as GradientCodec;
  throw new OptionError(`codec: expected none, ${Object.keys(DEVICE_CODECS).join(", ")}, found ${name}`);
}
