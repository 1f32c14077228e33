/** Parameters under the names and with the shapes that they have in PyTorch. */
import type { Shape } from "../../../src/compute/compiler/ir.ts";
import type { Tensor } from "../../../src/compute/tensor/tensor.ts";
import { constantValues } from "../../../src/model/nn/init.ts";
import { Module } from "../../../src/model/nn/module.ts";
import { Buffer, Parameter } from "../../../src/model/nn/parameter.ts";

/** The shapes of a layer's parameters, by their names in it. */
export type Shapes = ReadonlyMap<string, Shape>;

export class Weights extends Module {
  readonly #tensors = new Map<string, Tensor>();

  /** All 0 until they are loaded. Running statistics are buffers. */
  constructor(shapes: Shapes) {
    super();
    for (const [name, shape] of shapes) {
      const isCount = name === "num_batches_tracked";
      const values = isCount ? { shape, data: Int32Array.of(0) } : constantValues(shape, 0);
      this.#tensors.set(name, isCount || name.startsWith("running_") ? new Buffer(values) : new Parameter(values));
    }
  }

  get(name: string): Tensor | null {
    return this.#tensors.get(name) ?? null;
  }

  protected override members(): Iterable<readonly [string, unknown]> {
    return this.#tensors;
  }
}
