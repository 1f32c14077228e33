/**
 * A training step by numbers: kernels and the inner values between them, for the questions that fitting asks often.
 *
 * Values are numbered in the order in which they are made, so that what a value is computed from has smaller numbers.
 */
import { assert } from "../../../base/assert.ts";
import { InvariantError } from "../../../base/errors.ts";
import { elementBytes } from "../../layout/dtype.ts";
import { elementCount } from "../../layout/shape.ts";
import type { Node } from "../ir.ts";
import type { LoweredKernel } from "../lower-region.ts";
import { costOfKernel } from "./prices.ts";

/** What the model has to know of a plan besides its kernels. */
export interface PlanFacts {
  /** Sizes are rounded up to this. */
  readonly alignment: number;
  /** Values whose memory the plan places; leaves and results of the plan are not. */
  readonly isInner: (node: Node) => boolean;
  /** Inner values still read after the last step. */
  readonly keptToEnd: ReadonlySet<Node>;
  /** Stored value -> leaf whose bytes it overwrites when it is computed. */
  readonly overwrites: ReadonlyMap<Node, Node>;
}

/** So small are values that are kept for good, if what is computed from them could not be computed again otherwise. */
const ANCHOR_BYTES_MAX = 4096;

/** A value: its maker, and who reads it when. */
export interface Value {
  readonly node: Node;
  readonly bytes: number;
  /** The kernel that stores it. */
  readonly maker: number;
  /** The steps that read it, ascending; the count of steps for what is kept to the end. */
  readonly uses: readonly number[];
  /** Values that are computed from it. */
  readonly dependents: readonly number[];
  /** The last step before which it can be computed again, whatever else is in memory by then. */
  readonly remakableUntil: number;
  /** It has to stay, since what it is computed from changes. */
  readonly isAnchor: boolean;
}

/** The kernels that start together. */
export interface Wave {
  readonly works: readonly number[];
  /** All values that they read, and all that they store. */
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

/** A kernel: which values it reads and stores. */
export interface Work {
  readonly kernel: LoweredKernel;
  readonly step: number;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** Bytes of all that it stores when it runs once more: then outputs are inner, whatever they were. */
  readonly storedBytes: number;
  /** The last step before which it may run again: leaves that it reads are overwritten there. */
  readonly repeatableUntil: number;
}

/** The kernels of `steps` and the inner values between them. */
export class StepModel {
  readonly steps: readonly (readonly LoweredKernel[])[];
  readonly facts: PlanFacts;
  readonly works: readonly Work[];
  readonly values: readonly Value[];
  /** One for each step. */
  readonly waves: readonly Wave[];
  /** For each step, how many values are made before it. */
  readonly madeBefore: readonly number[];
  readonly #costs: (number | undefined)[] = [];

  constructor(steps: readonly (readonly LoweredKernel[])[], facts: PlanFacts) {
    this.steps = steps;
    this.facts = facts;
    const numbering = new Numbering(steps, facts);
    this.works = numbering.works;
    this.values = numbering.values();
    this.waves = numbering.worksOf.map((works) =>
      waveOf(
        works.map((number) => this.work(number)),
        works,
      ),
    );
    this.madeBefore = numbering.madeBefore;
  }

  /** The value of this number. */
  value(number: number): Value {
    const value = this.values[number];
    if (value === undefined) throw new InvariantError(`fitMemory: expected a value, found number ${number}`);
    return value;
  }

  /** The kernel of this number. */
  work(number: number): Work {
    const work = this.works[number];
    if (work === undefined) throw new InvariantError(`fitMemory: expected a kernel, found number ${number}`);
    return work;
  }

  /** The price of running a kernel once more. Counted when it is first asked for. */
  costOf(number: number): number {
    return (this.#costs[number] ??= costOfKernel(this.work(number).kernel));
  }

  /** The price of the whole step. */
  get cost(): number {
    return this.works.reduce((sum, _, number) => sum + this.costOf(number), 0);
  }

  /** The most bytes that the kernels of one step read and store: no plan of these steps takes less. */
  get floorBytes(): number {
    return Math.max(0, ...this.waves.map(({ inputs, outputs }) => this.bytesOf(inputs) + this.bytesOf(outputs)));
  }

  /** The bytes of all of these. */
  bytesOf(numbers: readonly number[]): number {
    return numbers.reduce((sum, number) => sum + this.value(number).bytes, 0);
  }
}

function waveOf(all: readonly Work[], works: readonly number[]): Wave {
  const inputs = [...new Set(all.flatMap((work) => work.inputs))];
  return { works, inputs, outputs: all.flatMap(({ outputs }) => outputs) };
}

class Numbering {
  readonly works: Work[] = [];
  readonly worksOf: number[][] = [];
  readonly madeBefore: number[] = [];
  readonly #facts: PlanFacts;
  readonly #numbers = new Map<Node, number>();
  readonly #makers: number[] = [];
  readonly #uses: number[][] = [];
  readonly #dependents: Set<number>[] = [];
  readonly #nodes: Node[] = [];

  constructor(steps: readonly (readonly LoweredKernel[])[], facts: PlanFacts) {
    this.#facts = facts;
    const overwrittenAt = overwritingSteps(steps, facts.overwrites);
    for (const [at, step] of steps.entries()) {
      this.madeBefore.push(this.#nodes.length);
      this.worksOf.push(step.map((kernel) => this.#add(kernel, at, steps.length, overwrittenAt)));
    }
    for (const [number, node] of this.#nodes.entries()) {
      if (facts.keptToEnd.has(node)) this.#uses[number]?.push(steps.length);
    }
  }

  #add(kernel: LoweredKernel, step: number, stepCount: number, overwrittenAt: ReadonlyMap<Node, number>): number {
    const inputs = [...new Set(kernel.inputs)].flatMap((node) => this.#numbers.get(node) ?? []);
    const outputs = kernel.outputs.filter(this.#facts.isInner).map((node) => this.#make(node));
    for (const input of inputs) {
      const uses = this.#uses[input];
      if (uses?.at(-1) !== step) uses?.push(step);
      for (const output of outputs) this.#dependents[input]?.add(output);
    }
    const storedBytes = kernel.outputs.reduce((sum, node) => sum + alignedBytes(node, this.#facts.alignment), 0);
    const ends = kernel.inputs.map((node) => overwrittenAt.get(node) ?? stepCount);
    this.works.push({ kernel, step, inputs, outputs, storedBytes, repeatableUntil: Math.min(stepCount, ...ends) });
    return this.works.length - 1;
  }

  #make(node: Node): number {
    const number = this.#nodes.length;
    assert(!this.#numbers.has(node), "fitMemory: expected one kernel for a value, found two");
    this.#numbers.set(node, number);
    this.#nodes.push(node);
    this.#makers.push(this.works.length);
    this.#uses.push([]);
    this.#dependents.push(new Set());
    return number;
  }

  /**
   * All values. One that cannot be made again until its last use is never dropped before that, so that what is computed
   * from it can be made again as long.
   */
  values(): Value[] {
    const values: Value[] = [];
    const stepCount = this.worksOf.length;
    for (const [number, node] of this.#nodes.entries()) {
      const maker = this.#makers[number] ?? 0;
      const uses = this.#uses[number] ?? [];
      const bytes = alignedBytes(node, this.#facts.alignment);
      const work = this.works[maker];
      const inputs = (work?.inputs ?? []).map((input) => availableUntil(values[input], stepCount));
      const remakableUntil = Math.min(work?.repeatableUntil ?? 0, ...inputs);
      const isAnchor = remakableUntil < stepCount && bytes <= ANCHOR_BYTES_MAX;
      const dependents = [...(this.#dependents[number] ?? [])];
      values.push({ node, bytes, maker, uses, dependents, remakableUntil, isAnchor });
    }
    return values;
  }
}

function availableUntil(value: Value | undefined, stepCount: number): number {
  if (value === undefined || value.isAnchor) return stepCount;
  return Math.max(value.remakableUntil, value.uses.at(-1) ?? 0);
}

function overwritingSteps(
  steps: readonly (readonly LoweredKernel[])[],
  overwrites: ReadonlyMap<Node, Node>,
): Map<Node, number> {
  const out = new Map<Node, number>();
  for (const [at, step] of steps.entries()) {
    for (const output of step.flatMap(({ outputs }) => outputs)) {
      const leaf = overwrites.get(output);
      if (leaf !== undefined) out.set(leaf, at);
    }
  }
  return out;
}

function alignedBytes({ shape, dtype }: Node, alignment: number): number {
  return Math.ceil((elementCount(shape) * elementBytes(dtype)) / alignment) * alignment;
}
