/** The constants of a kernel about to be lowered: the site it is, and what was chosen for it. */
import { assert, present } from "../../../base/assert.ts";
import { attentionCandidates } from "../../kernels/attention/candidates.ts";
import { attentionScheduleName, type AttentionSchedule } from "../../kernels/attention/schedule.ts";
import { contractionCandidates } from "../../kernels/contraction/candidates.ts";
import {
  contractionScheduleName,
  type Contraction,
  type ContractionSchedule,
} from "../../kernels/contraction/schedule.ts";
import type { DeviceTraits } from "../../kernels/device-traits.ts";
import { elementCandidates, elementScheduleName, type ElementSchedule } from "../../kernels/elementwise.ts";
import { rowCandidates } from "../../kernels/rows/row-candidates.ts";
import { rowScheduleName, type RowSchedule } from "../../kernels/rows/row-schedule.ts";
import { columnCount, lastAxisOf, rowCount, type RowSpace } from "../../kernels/rows/row-space.ts";
import { scatterRanges, type Scatter } from "../../kernels/scatter-add.ts";
import { elementCount, sameShape } from "../../layout/shape.ts";
import { scanCandidates, scanScheduleName, type Scan, type ScanSchedule } from "../../kernels/scan.ts";
import { ownCost } from "../cost.ts";
import { attentionOf } from "../infer-attention.ts";
import { readInputs, type Node } from "../ir.ts";
import type { Region } from "../regions.ts";
import type { Group } from "../schedule.ts";
import type { Choices } from "./choices.ts";
import { operandLayout } from "./operand-layout.ts";
import type { Problem, ScanProblem } from "./problem.ts";
import { rowLayout } from "./row-layout.ts";
import { siteOf } from "./site.ts";

/** The arithmetic of an element (in units of `cost.ts`) from which on it outweighs a few loads. */
const HEAVY = 24;
/** What has more steps than this is heavy, and counted no further. */
const STEPS_MAX = 1_000;

interface Candidate<T> {
  readonly name: string;
  readonly value: T;
}

export class Picks {
  readonly #choices: Choices;
  readonly #traits: DeviceTraits;
  readonly #isStored: (node: Node) => boolean;

  constructor(choices: Choices, traits: DeviceTraits, isStored: (node: Node) => boolean) {
    this.#choices = choices;
    this.#traits = traits;
    this.#isStored = isStored;
  }

  /** The schedule of a contraction's kernel. */
  contraction(core: Node, product: Contraction): ContractionSchedule {
    const [x, y] = core.inputs;
    const left = operandLayout(present(x, "Picks.contraction: the left operand"), this.#isStored);
    const right = operandLayout(present(y, "Picks.contraction: the right operand"), this.#isStored);
    const schedules = contractionCandidates(product, { left: left.layout, right: right.layout }, this.#traits);
    const candidates = schedules.map((value) => ({ name: contractionScheduleName(value), value }));
    return this.#pick(candidates, () => ({ kind: "contraction", ...product, left, right }));
  }

  /** The schedule of a kernel of attention. */
  attention(core: Node): AttentionSchedule {
    const { primitive } = core;
    assert(primitive.kind === "attention", `Picks.attention: expected attention, found ${primitive.kind}`);
    const { part } = primitive;
    const { batch, group, queries, keys, depth, width, causal } = attentionOf(core);
    const problem = { part, batch, group, queries, keys, depth, width, causal };
    const candidates = attentionCandidates(problem, this.#traits).map((value) => {
      return { name: attentionScheduleName(value), value };
    });
    return this.#pick(candidates, () => ({ kind: "attention", ...problem }));
  }

  /** Who goes along the lines of a scan. */
  scan(core: Node, work: Scan): ScanSchedule {
    const candidates = scanCandidates(work, this.#traits).map((value) => ({ name: scanScheduleName(value), value }));
    const size = work.shape[work.axis] ?? 1;
    const lines = elementCount(work.shape) / Math.max(1, size);
    return this.#pick(candidates, () => ({ kind: "scan", dtype: core.dtype, fn: scanFunction(core), lines, size }));
  }

  /** Which elements each invocation of a region without loops computes. */
  elements({ groups, outputs }: Region): ElementSchedule {
    const { shape, dtype } = present(groups.at(-1), "Picks.elements: a group").root;
    const count = elementCount(shape);
    const { cost, ...work } = this.#workOf(groups);
    const candidates = elementCandidates(count, cost, this.#traits).map((value) => ({
      name: elementScheduleName(value),
      value,
    }));
    return this.#pick(candidates, () => ({ kind: "elementwise", dtype, count, stores: outputs.length, ...work }));
  }

  /** The schedule of a region that goes along rows in so many sweeps. */
  rows({ groups, outputs }: Region, space: RowSpace, sweeps: number): RowSchedule {
    const cores = groups.map(({ core }) => core).filter(({ primitive }) => primitive.kind === "reduce");
    const isOf = ({ primitive, inputs: [x] }: Node): boolean =>
      primitive.kind === "reduce" && sameShape(primitive.axes, space.axes) && sameShape(x?.shape ?? [], space.shape);
    const x = present(cores.find(isOf)?.inputs[0], "Picks.rows: what is reduced in the space");
    const layout = rowLayout(x, space, this.#isStored);
    const [rows, columns, reductions] = [rowCount(space), columnCount(space), cores.length];
    const rowsBeside = space.shape[lastAxisOf(space, false) ?? -1] ?? 1;
    const { loads, isHeavy } = this.#workOf(groups);
    const work = { rows, rowsBeside, columns, reductions, isHeavy, ...layout };
    const schedules = rowCandidates(work, this.#traits);
    const candidates = schedules.map((value) => ({ name: rowScheduleName(value), value }));
    return this.#pick(candidates, () => {
      const stores = outputs.filter((node) => elementCount(node.shape) !== rows).length;
      const { isAcross } = layout;
      return {
        kind: "rows",
        dtype: x.dtype,
        rows,
        columns,
        isAcross,
        sweeps,
        reductions,
        stores,
        loads,
        isHeavy,
      };
    });
  }

  /** Into how many ranges the lines of a scatter are cut. Not measured: nothing to choose on software adapters. */
  scatterRanges(scatter: Scatter): number {
    return scatterRanges(scatter, this.#traits);
  }

  #pick<T>(candidates: readonly Candidate<T>[], problem: () => Problem): T {
    const usual = present(candidates[0], "Picks: a default candidate");
    if (candidates.length === 1) return usual.value;
    const names = candidates.map(({ name }) => name);
    const chosen = this.#choices.choose(siteOf(problem(), names));
    return (candidates.find(({ name }) => name === chosen) ?? usual).value;
  }

  /** The arrays that a region reads, and whether it computes much with them. */
  #workOf(groups: readonly Group[]): { loads: number; isHeavy: boolean; cost: number } {
    const roots = new Set(groups.map(({ root }) => root));
    const seen = new Set<Node>(roots);
    let [loads, cost] = [0, 0];
    for (const node of seen) {
      if (!roots.has(node) && this.#isStored(node)) {
        loads += 1;
        continue;
      }
      cost += ownCost(node);
      if (seen.size > STEPS_MAX) return { loads, isHeavy: true, cost: Number.POSITIVE_INFINITY };
      for (const input of readInputs(node)) seen.add(input);
    }
    return { loads, isHeavy: cost >= HEAVY, cost };
  }
}

function scanFunction({ primitive }: Node): ScanProblem["fn"] {
  assert(primitive.kind === "scan", `Picks.scan: expected a scan, found ${primitive.kind}`);
  return primitive.fn;
}
