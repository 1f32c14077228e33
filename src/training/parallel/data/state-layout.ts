/** What a run's state consists of, by name: so that a checkpoint can be read without the program that wrote it. */
import type { Module } from "../../../model/nn/module.ts";
import type { StateLayout, TensorLayout } from "../../../network/wire/state-record.ts";
import type { OptimizerSpec } from "../../run-definition.ts";

/** Tensors in the order in which they are laid end to end, and the optimizer with its state vectors by PyTorch's names. */
export function stateLayoutOf(model: Module, optimizer: OptimizerSpec): StateLayout {
  const tensors: TensorLayout[] = [];
  let offset = 0;
  for (const [name, { shape }] of model.namedParameters()) {
    tensors.push({ name, dtype: "float32", shape: [...shape], offset });
    offset += shape.reduce((product, size) => product * size, 1);
  }
  return { tensors, optimizer: describe(optimizer), lossScale: null };
}

function describe(spec: OptimizerSpec): StateLayout["optimizer"] {
  const options: Record<string, number> = {};
  for (const [name, value] of Object.entries(spec)) if (typeof value === "number") options[name] = value;
  if (spec.kind === "sgd")
    return { name: "sgd", options, vectors: (spec.momentum ?? 0) > 0 ? ["momentum_buffer"] : [] };
  const [beta1, beta2] = spec.betas ?? [0.9, 0.999];
  return { name: "adamw", options: { ...options, beta1, beta2 }, vectors: ["exp_avg", "exp_avg_sq"] };
}
