/** The model that a fixture describes. */
import { UnsupportedError } from "../../../src/base/errors.ts";
import type { Shape } from "../../../src/compute/compiler/ir.ts";
import type { Tensor } from "../../../src/compute/tensor/tensor.ts";
import type { Module } from "../../../src/model/nn/module.ts";
import type { ModelFixture } from "../fixtures.ts";
import { createGpt } from "./gpt.ts";
import { LayeredModel } from "./layered-model.ts";

/** A model from a batch to logits. */
type FixtureModel = Module & { forward(x: Tensor): Tensor };

/** `parameters` are their shapes by name, in order: its own are not yet PyTorch's values. @throws UnsupportedError */
export function createModel({ kind, model }: ModelFixture, parameters: ReadonlyMap<string, Shape>): FixtureModel {
  if (model["layers"] !== undefined) return new LayeredModel(model["layers"], parameters);
  if (kind === "gpt") return createGpt(model, parameters);
  throw new UnsupportedError(`hearth has no model ${kind} without layers yet`);
}
