/** Steps of kernels that compute nothing: chains of layers, and anything at random. */
import type { Random } from "../../../../src/base/random.ts";
import type { FitOptions } from "../../../../src/compute/compiler/fit-memory.ts";
import type { Node } from "../../../../src/compute/compiler/ir.ts";
import type { LoweredKernel } from "../../../../src/compute/compiler/lower-region.ts";
import type { Steps } from "./interpret.ts";

/** Steps, and what has to be known of them. */
export interface MadeUp {
  readonly steps: Steps;
  readonly facts: Pick<FitOptions, "alignment" | "isInner" | "keptToEnd" | "overwrites">;
}

export const ALIGNMENT = 256;

/** Bytes that the values of `chain` have. */
export const LAYER_BYTES: number = 2 ** 20;

export function leaf(bytes: number): Node {
  return { primitive: { kind: "buffer" }, inputs: [], shape: [bytes / 4], dtype: "float32" };
}

export function value(bytes: number): Node {
  return { primitive: { kind: "contraction" }, inputs: [], shape: [bytes / 4], dtype: "float32" };
}

export function kernel(name: string, outputs: readonly Node[], inputs: readonly Node[]): LoweredKernel {
  return { kernel: { name, bindings: [], invocations: 1, body: [] }, outputs, inputs, isRows: false, isAwaited: false };
}

/** Layers forward, then their gradients backward: each reads what its layer has read, and a weight is updated in place. */
export function chain(layers: number): MadeUp {
  const steps: LoweredKernel[][] = [];
  const overwrites = new Map<Node, Node>();
  const weights = Array.from({ length: layers }, () => leaf(LAYER_BYTES));
  const activations = [leaf(LAYER_BYTES)];
  for (const [i, weight] of weights.entries()) {
    const output = value(LAYER_BYTES);
    steps.push([kernel(`layer ${i}`, [output], [activations[i] ?? weight, weight])]);
    activations.push(output);
  }
  let gradient = activations[layers] ?? leaf(LAYER_BYTES);
  for (const [i, weight] of [...weights.entries()].reverse()) {
    const before = value(LAYER_BYTES);
    steps.push([kernel(`gradient ${i}`, [before], [gradient, weight, activations[i] ?? weight])]);
    const updated = value(LAYER_BYTES);
    steps.push([kernel(`update ${i}`, [updated], [gradient, weight, activations[i] ?? weight])]);
    overwrites.set(updated, weight);
    gradient = before;
  }
  const isInner = (node: Node): boolean => node.primitive.kind !== "buffer" && !overwrites.has(node);
  return { steps, facts: { alignment: ALIGNMENT, isInner, keptToEnd: new Set(), overwrites } };
}

/** Kernels that read anything, some of which update leaves in place, several in a step; some values are results. */
export function anySteps(random: Random, kernels: number): MadeUp {
  return new Growth(random).grow(kernels);
}

class Growth {
  readonly #random: Random;
  readonly #values: Node[] = [];
  readonly #results = new Set<Node>();
  readonly #overwrites = new Map<Node, Node>();
  readonly #steps: LoweredKernel[][] = [];
  #leaves: Node[];

  constructor(random: Random) {
    this.#random = random;
    this.#leaves = Array.from({ length: 1 + random.below(8) }, () => leaf(256));
  }

  grow(kernels: number): MadeUp {
    for (let i = 0; i < kernels; i++) this.#add(`kernel ${i}`);
    const [overwrites, results] = [this.#overwrites, this.#results];
    const isInner = (node: Node): boolean => {
      return node.primitive.kind !== "buffer" && !overwrites.has(node) && !results.has(node);
    };
    const keptToEnd = new Set(this.#values.filter((node) => isInner(node) && this.#random.below(20) === 0));
    return { steps: this.#steps, facts: { alignment: ALIGNMENT, isInner, keptToEnd, overwrites } };
  }

  #add(name: string): void {
    const random = this.#random;
    const inputs = new Set<Node>();
    const from = random.below(3) === 0 ? this.#values : this.#values.slice(-6);
    for (let i = random.below(4); i > 0 && from.length > 0; i--) inputs.add(random.pick(from));
    if (inputs.size === 0 || random.below(3) === 0) inputs.add(random.pick(this.#leaves));
    const outputs = Array.from({ length: 1 + Math.max(0, random.below(5) - 2) }, () => value(4 * (1 + random.below(2_000)))); // prettier-ignore
    for (const output of outputs) if (random.below(12) === 0) this.#results.add(output);
    const made = kernel(name, outputs, [...inputs]);
    this.#place(made);
    if (random.below(4) === 0 && this.#leaves.length > 1) this.#overwrite(made);
    this.#values.push(...outputs);
  }

  /** Into the last step, or one of its own. */
  #place(made: LoweredKernel): void {
    const last = this.#steps.at(-1);
    const isApart = last?.some(({ outputs }) => outputs.some((node) => made.inputs.includes(node) || this.#overwrites.has(node))); // prettier-ignore
    if (last === undefined || isApart === true || this.#random.below(3) > 0) this.#steps.push([made]);
    else last.push(made);
  }

  /** A leaf that nobody else reads from here on. */
  #overwrite(made: LoweredKernel): void {
    const target = this.#random.pick(this.#leaves);
    const [output] = made.outputs;
    const others = (this.#steps.at(-1) ?? []).filter((other) => other !== made);
    if (output === undefined || this.#results.has(output) || others.some(({ inputs }) => inputs.includes(target)))
      return;
    this.#overwrites.set(output, target);
    this.#leaves = this.#leaves.filter((node) => node !== target);
  }
}
