/** Functions whose forward and backward a user writes, as PyTorch's autograd.Function. */
import { OptionError, ShapeError } from "../../base/errors.ts";
import { formatShape, sameShape } from "../layout/shape.ts";
import { isGradEnabled, noGrad } from "./grad-mode.ts";
import { observe } from "./observe.ts";
import type { Tensor } from "./tensor.ts";
import { currentTrace, readNode } from "./trace.ts";
import { createValue, frozenTensorOf, Origin, tensorOf } from "./value.ts";

/** What a custom backward gets. */
export interface CustomBackward<Inputs extends readonly Tensor[]> {
  /** dL/doutput, in the output's shape. */
  readonly grad: Tensor;
  readonly inputs: Inputs;
  readonly output: Tensor;
  /** What `save` was given in the forward pass. */
  readonly saved: readonly Tensor[];
}

/** A forward and a backward pass, for `customFunction`. */
export interface CustomFunction<Inputs extends readonly Tensor[]> {
  /** For error messages. */
  readonly name: string;
  /** No gradient is recorded inside. `save` keeps tensors for the backward pass. */
  forward(inputs: Inputs, save: (...tensors: Tensor[]) => void): Tensor;
  /**
   * dL/dinputs, each in its input's shape, null for none. What it is made of is differentiated again where somebody
   * asks for second derivatives, as far as they flow through `grad`, `inputs` and `output`.
   */
  backward(context: CustomBackward<Inputs>): { readonly [K in keyof Inputs]: Tensor | null };
}

/** A function of tensors with a gradient of the user's own. @throws ShapeError for gradients of other shapes than the inputs */
export function customFunction<Inputs extends readonly Tensor[]>(
  definition: CustomFunction<Inputs>,
): (...inputs: Inputs) => Tensor {
  const { name } = definition;
  return (...inputs) => {
    const saved: Tensor[] = [];
    const detached = inputs.map((input) => input.detach()) as unknown as Inputs;
    const output = noGrad(() => definition.forward(detached, (...tensors) => void saved.push(...tensors)));
    const values = inputs.map((input) => input.value);
    const requiresGrad = isGradEnabled() && values.some((value) => value.requiresGrad);
    const origin = new Origin(name, values, (grad, out) => {
      const known = values.map(frozenTensorOf) as unknown as Inputs;
      const gradients = definition.backward({ grad, inputs: known, output: frozenTensorOf(out), saved });
      checkGradients(name, gradients, inputs);
      return gradients;
    });
    const value = createValue(readNode(output), {
      runtime: output.value.runtime,
      trace: currentTrace(),
      requiresGrad,
      origin: requiresGrad ? origin : null,
    });
    observe(name, value, values);
    return tensorOf(value);
  };
}

function checkGradients(name: string, gradients: readonly (Tensor | null)[], inputs: readonly Tensor[]): void {
  if (gradients.length !== inputs.length) {
    throw new OptionError(
      `${name}: expected a gradient or null for ${inputs.length} inputs, found ${gradients.length}`,
    );
  }
  inputs.forEach(({ shape }, i) => {
    const found = gradients[i]?.shape ?? shape;
    if (!sameShape(found, shape)) {
      throw new ShapeError(
        `${name}: expected a gradient of ${formatShape(shape)} for input ${i}, found ${formatShape(found)}`,
      );
    }
  });
}
