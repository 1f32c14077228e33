/**
 * How ops are made: a forward pass that lowers to graph nodes, and beside it the gradient, written with differentiable
 * ops. No op has a kernel.
 */
import { OptionError } from "../../base/errors.ts";
import type { Node } from "../compiler/ir.ts";
import { cast, unary } from "../compiler/graph.ts";
import { isFloat } from "../layout/dtype.ts";
import type { UnaryFunction } from "../compiler/ir.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { isGradEnabled } from "./grad-mode.ts";
import { observe } from "./observe.ts";
import type { Tensor } from "./tensor.ts";
import { currentTrace, readNode } from "./trace.ts";
import { createValue, frozenTensorOf, Origin, tensorOf } from "./value.ts";
import type { Value } from "./value.ts";

/** What a gradient formula may use. */
export interface Backward<Inputs extends readonly Tensor[], Options> {
  /** dL/doutput, in the output's shape. */
  readonly grad: Tensor;
  readonly inputs: Inputs;
  readonly output: Tensor;
  readonly options: Options;
}

export interface OpDefinition<Inputs extends readonly Tensor[], Options> {
  readonly name: string;
  forward(nodes: { readonly [K in keyof Inputs]: Node }, options: Options): Node;
  /** dL/dinputs, null for inputs that have none; null in place of the function when no input has one. */
  readonly backward: ((context: Backward<Inputs, Options>) => { readonly [K in keyof Inputs]: Tensor | null }) | null;
}

/** A differentiable function of tensors. */
export type Op<Inputs extends readonly Tensor[], Options> = (inputs: Inputs, options: Options) => Tensor;

/** Makes an op of its definition. */
export function defineOp<Inputs extends readonly Tensor[], Options = null>(
  definition: OpDefinition<Inputs, Options>,
): Op<Inputs, Options> {
  return (inputs, options) => {
    const nodes = inputs.map(readNode) as unknown as { readonly [K in keyof Inputs]: Node };
    const node = definition.forward(nodes, options);
    const values = inputs.map((input) => input.value);
    const { backward } = definition;
    const flows =
      backward !== null && isGradEnabled() && isFloat(node.dtype) && values.some((value) => value.requiresGrad);
    const origin = flows
      ? new Origin(definition.name, values, (grad, output) =>
          backward({
            grad,
            inputs: values.map(frozenTensorOf) as unknown as Inputs,
            output: frozenTensorOf(output),
            options,
          }),
        )
      : null;
    const runtime = commonRuntime(definition.name, values);
    const value = createValue(node, { runtime, trace: currentTrace(), requiresGrad: flows, origin });
    observe(definition.name, value, values);
    return tensorOf(value);
  };
}

/** A tensor made of no other: a constant, a counter. */
export function sourceTensor(node: Node, runtime: Runtime | null = null): Tensor {
  return tensorOf(createValue(node, { runtime, trace: currentTrace() }));
}

/** What a unary op's gradient may use: its input, its output and what arrives at it. */
export interface UnaryBackward {
  readonly grad: Tensor;
  readonly x: Tensor;
  readonly y: Tensor;
}

/** An elementwise op that is one function of the graph. Integers are cast to float32 unless `keepsIntegers`. */
export function unaryOp(
  fn: UnaryFunction,
  backward: ((context: UnaryBackward) => Tensor | null) | null,
  { keepsIntegers = false }: { keepsIntegers?: boolean } = {},
): (x: Tensor) => Tensor {
  const op = defineOp<[Tensor]>({
    name: fn,
    forward: ([x]) => unary(fn, keepsIntegers || isFloat(x.dtype) ? x : cast(x, "float32")),
    backward: backward && (({ grad, inputs: [x], output: y }) => [backward({ grad, x, y })]),
  });
  return (x) => op([x], null);
}

function commonRuntime(operation: string, values: readonly Value[]): Runtime | null {
  let runtime: Runtime | null = null;
  for (const value of values) {
    if (value.runtime === null) continue;
    if (runtime !== null && runtime !== value.runtime) {
      throw new OptionError(`${operation}: expected tensors of one runtime, found tensors of two`);
    }
    runtime = value.runtime;
  }
  return runtime;
}
