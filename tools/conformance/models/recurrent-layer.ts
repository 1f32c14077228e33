/** LSTM, GRU and RNN whose depth, directions and widths are those of the parameters' names and shapes. */
import { UnsupportedError } from "../../../src/base/errors.ts";
import type { Tensor } from "../../../src/compute/tensor/tensor.ts";
import type { Module } from "../../../src/model/nn/module.ts";
import { GRU, LSTM, RNN } from "../../../src/model/nn/recurrent.ts";
import type { LayerText } from "./parse-layers.ts";
import type { Shapes } from "./weights.ts";

const NAME = /^(weight_[ih]h|bias_[ih]h|weight_hr)_l(\d+)(_reverse)?$/;

/** [B, T, in] -> [B, T, width], or twice the width for both directions. @throws UnsupportedError */
export function recurrentLayer(
  kind: string,
  { text, options }: LayerText,
  shapes: Shapes,
): { module: Module; step: (x: Tensor) => Tensor } {
  const names = [...shapes.keys()];
  const [, inputSize] = shapes.get("weight_ih_l0") ?? [];
  const [rows] = shapes.get("weight_ih_l0") ?? [];
  if (inputSize === undefined || rows === undefined || !names.every((name) => NAME.test(name))) {
    throw new UnsupportedError(
      `model: expected weight_ih_l0 and its like for "${text}", found ${names.join(", ") || "none"}`,
    );
  }
  const common = {
    batchFirst: true,
    bias: shapes.has("bias_ih_l0"),
    bidirectional: shapes.has("weight_ih_l0_reverse"),
    numLayers: 1 + Math.max(...names.map((name) => Number(NAME.exec(name)?.[2] ?? 0))),
  };
  const [projSize = 0] = shapes.get("weight_hr_l0") ?? [];
  const nonlinearity = options["nonlinearity"] === "relu" ? "relu" : "tanh";
  const module =
    kind === "lstm"
      ? new LSTM(inputSize, rows / 4, { ...common, projSize })
      : kind === "gru"
        ? new GRU(inputSize, rows / 3, common)
        : new RNN(inputSize, rows, { ...common, nonlinearity });
  return { module, step: (x) => module.forward(x).output };
}
