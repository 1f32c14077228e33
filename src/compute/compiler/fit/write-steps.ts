/** From actions to a plan's steps: every making of a value gets a node of its own, and readers are told which one they read. */
import { present } from "../../../base/assert.ts";
import type { Node } from "../ir.ts";
import type { LoweredKernel } from "../lower-region.ts";
import { makesOf, type Action } from "./actions.ts";
import type { PlanStep } from "../fit-memory.ts";
import type { StepModel } from "./step-model.ts";

/** The steps of `actions`. Fresh nodes are copies: what counts is which object a reader names. */
export function writeSteps(model: StepModel, actions: readonly Action[]): PlanStep[] {
  const writer = new Writer(model, actions);
  return actions.map((action) => writer.write(action));
}

class Writer {
  readonly #model: StepModel;
  /** The nodes still to be used for each value, one for each time that it is made; the next one last. */
  readonly #ahead: Node[][];
  /** The nodes with the newest bytes, by the node of the plan as it was. */
  readonly #newest = new Map<Node, Node>();

  constructor(model: StepModel, actions: readonly Action[]) {
    this.#model = model;
    const times = new Int32Array(model.values.length);
    for (const value of actions.flatMap((action) => makesOf(model, action))) times[value] = (times[value] ?? 0) + 1;
    this.#ahead = model.values.map(({ node }, value) => {
      const fresh = Array.from({ length: (times[value] ?? 1) - 1 }, () => ({ ...node }));
      // Who reads it after the last step knows it by the node that it always was.
      return model.facts.keptToEnd.has(node) ? [node, ...fresh] : [...fresh, node];
    });
  }

  write(action: Action): PlanStep {
    switch (action.kind) {
      case "run":
        return { kind: "compute", kernels: this.#together(this.#model.waves[action.step]?.works ?? []) };
      case "rerun":
        return { kind: "compute", kernels: this.#together([action.work], true) };
      case "offload":
        return { kind: "offload", node: this.#read(this.#model.value(action.value).node) };
      case "reload": {
        const from = this.#read(this.#model.value(action.value).node);
        return { kind: "reload", node: this.#make(action.value), from };
      }
    }
  }

  /** Kernels that read what there was before any of them has run. */
  #together(numbers: readonly number[], isAgain = false): LoweredKernel[] {
    const read = numbers.map((number) => this.#model.work(number).kernel.inputs.map((node) => this.#read(node)));
    return numbers.map((number, i) => {
      const { kernel, outputs } = this.#model.work(number);
      const made = new Map(outputs.map((value) => [this.#model.value(value).node, this.#make(value)]));
      return {
        ...kernel,
        inputs: present(read[i], "fitMemory: what a kernel reads"),
        outputs: kernel.outputs.map((node) => made.get(node) ?? (isAgain ? { ...node } : node)),
      };
    });
  }

  #read(node: Node): Node {
    return this.#newest.get(node) ?? node;
  }

  #make(value: number): Node {
    const node = present(this.#ahead[value]?.pop(), "fitMemory: a node for what is made");
    this.#newest.set(this.#model.value(value).node, node);
    return node;
  }
}
