/** How a case's inputs and options become hearth's output: a function for each name of an op. */
import { present } from "../../src/base/assert.ts";
import type { Tensor } from "../../src/compute/tensor/tensor.ts";

/** A case has at least as many inputs as its op takes: the files are trusted with that, and with their options' types. */
type Inputs = readonly [Tensor, Tensor, Tensor, ...Tensor[]];

/** Most ops give their output at once; those whose shape depends on values read back first. */
export type Run<Options = never> = (inputs: Inputs, options: Options) => Tensor | Promise<Tensor>;

/** A name and what it does. */
export type OpLine = readonly [name: string, run: Run];

/** A line whose options are of a type of its own. */
export function line<Options>(name: string, run: Run<Options>): OpLine {
  return [name, run as Run];
}

/** Lines of functions that take all inputs and no options, under their own names. */
export function plain(functions: Readonly<Record<string, (...inputs: never[]) => Tensor>>): OpLine[] {
  return Object.entries(functions).map(([name, fn]) => [
    name,
    (inputs) => fn(...(inputs as readonly Tensor[] as readonly never[])),
  ]);
}

/** The part of several that a case is about. */
export function partOf(tensors: readonly Tensor[], part: number): Tensor {
  return present(tensors[part], `part ${part} of ${tensors.length}`);
}

/** An input that a case may leave out. */
export function optional(input: Tensor | undefined): Tensor | null {
  return input ?? null;
}
