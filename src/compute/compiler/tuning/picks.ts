/** The constants of a kernel about to be lowered: the site it is, and what was chosen for it. */
import { present } from "../../../base/assert.ts";
import type { Contraction, Tile } from "../../kernels/contraction.ts";
import { elementsEachCandidates } from "../../kernels/elementwise.ts";
import { blockCandidates } from "../../kernels/reduce.ts";
import { elementCount } from "../../layout/shape.ts";
import { ownCost } from "../cost.ts";
import { readInputs, type Node } from "../ir.ts";
import type { Choices } from "./choices.ts";
import { contractionTiles } from "./contraction-tiles.ts";
import { operandLayout } from "./operand-layout.ts";
import type { Problem, ReduceProblem } from "./problem.ts";
import { siteOf } from "./site.ts";

/** The arithmetic of an element (in units of `cost.ts`) from which on it outweighs a few loads. */
const HEAVY = 24;
/** What has more steps than this is heavy. */
const STEPS_MAX = 64;

interface Candidate<T> {
  readonly name: string;
  readonly value: T;
}

export class Picks {
  readonly #choices: Choices;
  readonly #isStored: (node: Node) => boolean;

  constructor(choices: Choices, isStored: (node: Node) => boolean) {
    this.#choices = choices;
    this.#isStored = isStored;
  }

  /** The tile of a contraction's kernel. */
  tile(core: Node, product: Contraction): Tile {
    return this.#pick(contractionTiles(product), () => {
      const [x, y] = core.inputs;
      const left = operandLayout(present(x, "Picks.tile: the left operand"), this.#isStored);
      const right = operandLayout(present(y, "Picks.tile: the right operand"), this.#isStored);
      return { kind: "contraction", ...product, left, right };
    });
  }

  /** How many elements each invocation of an elementwise kernel computes. */
  elementsEach(core: Node): number {
    const count = elementCount(core.shape);
    return this.#pick(named(elementsEachCandidates(count)), () => {
      return { kind: "elementwise", dtype: core.dtype, count, ...this.#workUnder(core) };
    });
  }

  /** How many elements of a reduction are summed in a block. */
  block(core: Node): number {
    const problem = reduceProblem(core);
    return this.#pick(named(blockCandidates(problem.fn, problem.dtype, problem.length)), () => problem);
  }

  #pick<T>(candidates: readonly Candidate<T>[], problem: () => Problem): T {
    const usual = present(candidates[0], "Picks: a default candidate");
    if (candidates.length === 1) return usual.value;
    const names = candidates.map(({ name }) => name);
    const chosen = this.#choices.choose(siteOf(problem(), names));
    return (candidates.find(({ name }) => name === chosen) ?? usual).value;
  }

  /** The arrays that an elementwise kernel reads, and whether it computes much with them. */
  #workUnder(core: Node): { arrays: number; isHeavy: boolean } {
    const seen = new Set<Node>([core]);
    let [arrays, cost] = [0, 0];
    for (const node of seen) {
      if (node !== core && this.#isStored(node)) {
        arrays += 1;
        continue;
      }
      cost += ownCost(node);
      if (seen.size > STEPS_MAX) return { arrays: Math.max(1, arrays), isHeavy: true };
      for (const input of readInputs(node)) seen.add(input);
    }
    return { arrays, isHeavy: cost >= HEAVY };
  }
}

function named(values: readonly number[]): readonly Candidate<number>[] {
  return values.map((value) => ({ name: String(value), value }));
}

function reduceProblem({ primitive, inputs, shape, dtype }: Node): ReduceProblem {
  const x = present(inputs[0], "Picks.block: the operand");
  const fn = primitive.kind === "reduce" ? primitive.fn : "sum";
  const axes = primitive.kind === "reduce" ? primitive.axes : [];
  const outputs = elementCount(shape);
  const length = elementCount(x.shape) / Math.max(1, outputs);
  const innermost = x.shape.findLastIndex((size) => size > 1);
  return { kind: "reduce", fn, dtype, outputs, length, isInner: axes.includes(innermost) };
}
