/**
 * Runs plans over abstract values: what a kernel stores is a number that stands for the kernel and what it has read.
 *
 * Memory is what a runtime would do: an inner node is in memory from the step that makes it to its last reader, and
 * moving it out ends that.
 */
import { expect } from "vitest";
import { assert, present } from "../../../../src/base/assert.ts";
import type { FitOptions, PlanStep } from "../../../../src/compute/compiler/fit-memory.ts";
import type { Node } from "../../../../src/compute/compiler/ir.ts";
import type { LoweredKernel } from "../../../../src/compute/compiler/lower-region.ts";
import type { Kernel } from "../../../../src/compute/lang/kernel.ts";
import { elementCount } from "../../../../src/compute/layout/shape.ts";

export type Steps = readonly (readonly LoweredKernel[])[];
type Facts = Pick<FitOptions, "alignment" | "isInner" | "keptToEnd" | "overwrites">;

/** What a plan came to. */
export interface Outcome {
  /** Contents at the end: of leaves, results and what is kept. */
  readonly contents: ReadonlyMap<Node, number>;
  /** What each kernel has read, every time that it ran. */
  readonly reads: ReadonlyMap<Kernel, readonly string[]>;
  readonly boundBytes: number;
}

/** Equal texts are equal numbers. */
class Contents {
  readonly #numbers = new Map<string, number>();
  readonly #names = new Map<unknown, number>();

  of(text: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    this.#numbers.set(text, this.#numbers.size);
    return this.#numbers.size - 1;
  }

  /** Of a leaf as it is at first, or the name of a kernel. */
  ofThing(thing: unknown): number {
    const known = this.#names.get(thing);
    if (known !== undefined) return known;
    const made = this.of(`thing ${this.#names.size}`);
    this.#names.set(thing, made);
    return made;
  }
}

/** Steps as they are. */
function planOf(steps: Steps): PlanStep[] {
  return steps.map((kernels) => ({ kind: "compute", kernels }));
}

/** Expects that `plan` does what `steps` did, and that it takes `boundBytes`. */
export function expectSame(steps: Steps, facts: Facts, plan: readonly PlanStep[], boundBytes: number): void {
  const contents = new Contents();
  const expected = new Interpreter(facts, contents).run(planOf(steps));
  const found = new Interpreter(facts, contents).run(plan);
  expect(found.boundBytes).toBe(boundBytes);
  expect(found.contents).toEqual(expected.contents);
  expect(new Set(found.reads.keys())).toEqual(new Set(expected.reads.keys()));
  for (const [kernel, reads] of found.reads) expect(new Set(reads)).toEqual(new Set(expected.reads.get(kernel)));
}

/** The most bytes that `steps` have alive at once. */
export function boundOf(steps: Steps, facts: Facts): number {
  return new Interpreter(facts, new Contents()).run(planOf(steps)).boundBytes;
}

class Interpreter {
  readonly #facts: Facts;
  readonly #contents: Contents;
  /** What is in memory, leaves included once they were overwritten. */
  readonly #held = new Map<Node, number>();
  readonly #moved = new Map<Node, number>();
  readonly #made = new Set<Node>();
  readonly #reads = new Map<Kernel, string[]>();
  #aliveBytes = 0;
  #mostBytes = 0;

  constructor(facts: Facts, contents: Contents) {
    this.#facts = facts;
    this.#contents = contents;
  }

  run(plan: readonly PlanStep[]): Outcome {
    const last = lastReads(plan);
    const endsAt = new Map<number, Node[]>();
    for (const [at, step] of plan.entries()) {
      const makes = makesOf(step);
      if (step.kind === "compute") this.#compute(step.kernels);
      else if (step.kind === "reload") this.#make(step.node, this.#takeMoved(step.from));
      else this.#moved.set(step.node, this.#read(step.node));
      for (const node of makes.filter(this.#facts.isInner)) {
        this.#aliveBytes += this.#bytesOf(node);
        const end = this.#facts.keptToEnd.has(node) ? plan.length : (last.get(node) ?? at);
        endsAt.set(end, [...(endsAt.get(end) ?? []), node]);
      }
      this.#mostBytes = Math.max(this.#mostBytes, this.#aliveBytes);
      for (const node of endsAt.get(at) ?? []) this.#free(node);
    }
    for (const node of this.#facts.keptToEnd) if (this.#facts.isInner(node)) this.#read(node);
    assert(this.#moved.size === 0, "interpret: expected all that is moved out to come back");
    return { contents: this.#held, reads: this.#reads, boundBytes: this.#mostBytes };
  }

  #compute(kernels: readonly LoweredKernel[]): void {
    const stored = kernels.map(({ kernel, inputs, outputs }) => {
      const read = inputs.map((node) => this.#read(node)).join();
      this.#reads.set(kernel, [...(this.#reads.get(kernel) ?? []), read]);
      return outputs.map((_, i) => this.#contents.of(`${this.#contents.ofThing(kernel)} ${i} of ${read}`));
    });
    for (const [i, { outputs }] of kernels.entries()) {
      const others = kernels.filter((_, other) => other !== i).flatMap(({ inputs }) => inputs);
      for (const [j, output] of outputs.entries()) {
        const leaf = this.#facts.overwrites.get(output);
        const isApart = !others.includes(output) && (leaf === undefined || !others.includes(leaf));
        assert(isApart, "interpret: expected kernels of a step to be independent");
        this.#make(output, present(stored[i]?.[j], "what a kernel stores"));
      }
    }
  }

  #make(node: Node, content: number): void {
    assert(!this.#made.has(node), "interpret: expected a node to be made once");
    this.#made.add(node);
    this.#held.set(this.#facts.overwrites.get(node) ?? node, content);
  }

  #read(node: Node): number {
    const place = this.#facts.overwrites.get(node) ?? node;
    const held = this.#held.get(place);
    if (held !== undefined) return held;
    assert(place.primitive.kind === "buffer", "interpret: expected what is read to be in memory");
    return this.#contents.ofThing(place);
  }

  #takeMoved(from: Node): number {
    const content = present(this.#moved.get(from), "what was moved out");
    this.#moved.delete(from);
    return content;
  }

  #free(node: Node): void {
    this.#aliveBytes -= this.#bytesOf(node);
    this.#held.delete(node);
  }

  #bytesOf({ shape }: Node): number {
    return Math.ceil((elementCount(shape) * 4) / this.#facts.alignment) * this.#facts.alignment;
  }
}

function makesOf(step: PlanStep): readonly Node[] {
  if (step.kind === "compute") return step.kernels.flatMap(({ outputs }) => outputs);
  return step.kind === "reload" ? [step.node] : [];
}

function lastReads(plan: readonly PlanStep[]): Map<Node, number> {
  const last = new Map<Node, number>();
  for (const [at, step] of plan.entries()) {
    const read = step.kind === "compute" ? step.kernels.flatMap(({ inputs }) => inputs) : step.kind === "offload" ? [step.node] : []; // prettier-ignore
    for (const node of read) last.set(node, at);
  }
  return last;
}
