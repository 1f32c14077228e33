/** The model that a fixture describes. */
import { UnsupportedError } from "../../../src/base/errors.ts";
import type { Tensor } from "../../../src/compute/tensor/tensor.ts";
import type { Module } from "../../../src/model/nn/module.ts";
import type { ModelFixture } from "../fixtures.ts";
import { Gpt } from "./gpt.ts";
import type { GptShape } from "./gpt.ts";
import { LayeredModel } from "./layered-model.ts";

/** A model from a batch to logits. */
type FixtureModel = Module & { forward(x: Tensor): Tensor };

/** Its parameters are not yet PyTorch's. @throws UnsupportedError */
export function createModel({ kind, model, parameters }: ModelFixture): FixtureModel {
  if (kind === "gpt") return new Gpt(model as unknown as GptShape);
  const { layers } = model as { layers?: unknown };
  if (typeof layers === "string") return new LayeredModel(layers, Object.keys(parameters));
  throw new UnsupportedError(`hearth has no model ${kind} without layers yet`);
}
