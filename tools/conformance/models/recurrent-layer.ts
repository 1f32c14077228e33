/** Recurrent layers, made to fit PyTorch's parameters: weight_ih_l0, weight_hh_l0 and so on. */
import { UnsupportedError } from "../../../src/base/errors.ts";
import type { BuiltLayer, Shapes } from "./build-layer.ts";
import { LstmLayer } from "./lstm-layer.ts";
import type { LayerText } from "./parse-layers.ts";

/** [B, T, in] -> [B, T, width]. @throws UnsupportedError */
export function recurrentLayer(kind: string, { text }: LayerText, shapes: Shapes): BuiltLayer {
  const [rows = 0, inputs = 0] = shapes.get("weight_ih_l0") ?? [];
  if (kind !== "lstm" || shapes.size !== 4) throw new UnsupportedError(`hearth has no layer "${text}" yet`);
  const module = new LstmLayer(inputs, rows / 4);
  return { module, step: (x) => module.forward(x) };
}
