/**
 * Models written as a list of layers. The list does not name its layers, and need not give their sizes: the parameters'
 * names and shapes do, in the same order: c1.weight [6, 1, 3, 3], c1.bias [6], fc.weight [10, 32].
 */
import { UnsupportedError } from "../../../src/base/errors.ts";
import type { Shape } from "../../../src/compute/compiler/ir.ts";
import type { Tensor } from "../../../src/compute/tensor/tensor.ts";
import { Module } from "../../../src/model/nn/module.ts";
import { activationNames, activationOf } from "./activations.ts";
import { buildLayer, LAYER_NAMES, layerName, needsParameters } from "./build-layer.ts";
import type { Step } from "./build-layer.ts";
import { parseLayers } from "./parse-layers.ts";
import type { LayerText } from "./parse-layers.ts";
import { STEP_NAMES, stepOf } from "./step-layers.ts";
import type { Shapes } from "./weights.ts";

export class LayeredModel extends Module {
  readonly #steps: readonly Step[];

  /** @throws UnsupportedError for a layer that it does not know */
  constructor(layers: unknown, parameters: ReadonlyMap<string, Shape>) {
    super();
    const groups = groupsOf(parameters);
    this.#steps = parseLayers(layers).map((layer) => {
      const step = plainStep(layer);
      if (step !== undefined) return step;
      if (!LAYER_NAMES.has(layerName(layer))) throw unknownLayer(layer);
      const [group] = groups;
      if (group === undefined || !needsParameters(layer, group[1])) return buildLayer(layer, new Map()).step;
      groups.shift();
      const [name, shapes] = group;
      const built = buildLayer(layer, shapes);
      // Modules find their parameters by the names of their fields.
      Object.assign(this, { [name]: built.module });
      return built.step;
    });
    if (groups.length > 0) {
      throw new UnsupportedError(`model: expected a layer for each of ${groups.map(([name]) => name).join(", ")}, found none`); // prettier-ignore
    }
  }

  forward(x: Tensor): Tensor {
    return this.#steps.reduce((value, step) => step(value), x);
  }
}

/** "lstm.weight_ih_l0" -> ["lstm", { weight_ih_l0 }], in order. */
function groupsOf(parameters: ReadonlyMap<string, Shape>): [string, Shapes][] {
  const groups = new Map<string, Map<string, Shape>>();
  for (const [path, shape] of parameters) {
    const dot = path.lastIndexOf(".");
    const group = groups.get(path.slice(0, dot)) ?? new Map<string, Shape>();
    groups.set(path.slice(0, dot), group.set(path.slice(dot + 1), shape));
  }
  return [...groups];
}

/** What has no parameters; undefined for the rest. A linear layer is none, whatever activations are called. */
function plainStep(layer: LayerText): Step | undefined {
  const step = stepOf(layer);
  if (step !== undefined || LAYER_NAMES.has(layerName(layer))) return step;
  const { approximate, number } = layer.options;
  const activation = activationOf(`${layer.name}${typeof approximate === "string" ? approximate : ""}`);
  const given = number ?? layer.sizes[0];
  return activation && ((x) => activation(x, typeof given === "number" ? given : undefined));
}

function unknownLayer({ name, text }: LayerText): UnsupportedError {
  const known = [...LAYER_NAMES, ...STEP_NAMES, ...activationNames()].join(", ");
  return new UnsupportedError(`model: hearth has no layer "${name}" ("${text}") yet; it knows ${known}`);
}
