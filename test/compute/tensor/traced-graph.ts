/** The graph that a compiled function hands to its runtime, without compiling or running it. */
import { compile, type Inputs } from "../../../src/compute/tensor/compile.ts";
import { withRuntime } from "../../../src/compute/tensor/runtime-scope.ts";
import type { Tensor } from "../../../src/compute/tensor/tensor.ts";
import type { Node } from "../../../src/compute/compiler/ir.ts";
import type { Plan } from "../../../src/compute/runtime/runtime.ts";
import { InterpreterRuntime } from "./interpreter-runtime.ts";

/** Thrown in place of compiling. */
class Recorded extends Error {
  readonly outputs: readonly Node[];
  constructor(outputs: readonly Node[]) {
    super("the graph is known");
    this.outputs = outputs;
  }
}

class RecordingRuntime extends InterpreterRuntime {
  override compile(outputs: readonly Node[], updates: readonly (readonly [Node, Node])[]): Promise<Plan> {
    return Promise.reject(new Recorded([...outputs, ...updates.map(([, value]) => value)]));
  }
}

/** A function to compile, and what it is called with. */
export interface TracedStep<Names extends string> {
  readonly step: (inputs: Inputs<Names>) => Tensor;
  readonly inputs: Record<Names, Tensor>;
}

/** What the first call of a compiled function computes: its results, and the new values of what it assigns. */
export async function tracedGraph<Names extends string>(setUp: () => TracedStep<Names>): Promise<readonly Node[]> {
  const runtime = new RecordingRuntime();
  const { step, inputs } = withRuntime(runtime, setUp);
  try {
    await compile(step, { runtime })(inputs);
  } catch (error) {
    if (error instanceof Recorded) return error.outputs;
    throw error;
  }
  return [];
}
