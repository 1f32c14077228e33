/** From the graph that ops made to the graph that is scheduled: passes one after another, and the check between them. */
import { describeError, InvariantError } from "../../../base/errors.ts";
import { PLAIN_DEVICE, type DeviceTraits } from "../../kernels/device-traits.ts";
import type { Node } from "../ir.ts";
import { splitLong } from "../split.ts";
import { inTopologicalOrder, type Rewritten } from "../walk-graph.ts";
import { ALGEBRA } from "./algebra.ts";
import { CHOICES } from "./choices.ts";
import { CONTRACTIONS } from "./contractions.ts";
import { JOINS } from "./joins.ts";
import { checkLegality } from "./legality.ts";
import type { Rule } from "./pattern.ts";
import { REDUCED_VIEWS, REDUCTIONS } from "./reductions.ts";
import { REPEATS } from "./repeats.ts";
import { applyTable } from "./table.ts";
import { VIEWS } from "./views.ts";

/** A table of rules, or a function for what is no local rewrite. */
export type Pass = { readonly name: string } & (
  { readonly table: readonly Rule[] } | { readonly run: (outputs: readonly Node[], traits: DeviceTraits) => Rewritten }
);

/** All rules: for graphs as ops make them. */
export const SIMPLIFICATIONS: readonly Rule[] = [
  ...CHOICES, ...ALGEBRA, ...VIEWS, ...REPEATS, ...JOINS, ...REDUCTIONS, ...CONTRACTIONS,
]; // prettier-ignore

/**
 * Every table makes equal nodes one, and an empty one nothing else: rules then know who reads what. Cutting long
 * reductions brings views, which are put in order again, so that parts are read as they lie; other rules of reductions
 * would join the cuts.
 */
const PASSES: readonly Pass[] = [
  { name: "common", table: [] },
  { name: "simplify", table: SIMPLIFICATIONS },
  { name: "split", run: splitLong },
  { name: "tidy", table: [...VIEWS, ...REDUCED_VIEWS] },
];

export interface OptimizeOptions {
  /** What is done, in order. All there is by default. */
  readonly passes?: readonly Pass[];
  /** What the graph is for. Any device by default. */
  readonly traits?: DeviceTraits;
}

/** How often a table is applied again because nodes have fewer readers than it knew. */
const ROUNDS_MAX = 4;

/**
 * Nodes that compute what `outputs` do, for less: of the same count, order, shapes and dtypes. The graph and the kind of device decide.
 * @throws InvariantError for a pass that breaks the graph
 */
export function optimize(outputs: readonly Node[], options: OptimizeOptions = {}): readonly Node[] {
  const { passes = PASSES, traits = PLAIN_DEVICE } = options;
  let now = outputs;
  let order = inTopologicalOrder(outputs);
  let normal = new Set<Node>();
  let rules = new Set<Rule>();
  const advance = (name: string, after: Rewritten): void => {
    order = checkLegality(name, now, after, order);
    now = after.outputs;
  };
  for (const pass of passes) {
    if ("run" in pass) {
      advance(pass.name, named(pass.name, () => pass.run(now, traits))); // prettier-ignore
      continue;
    }
    const isKnown = pass.table.every((rule) => rules.has(rule));
    const isNormal = (node: Node): boolean => isKnown && normal.has(node);
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const after = named(pass.name, () => applyTable(pass.name, pass.table, now, { order, isNormal }));
      advance(pass.name, after);
      if (!after.mayGoOn) break;
    }
    rules = new Set(pass.table);
    normal = new Set(order);
  }
  return now;
}

/** What constructors refuse is here the pass's fault, not the caller's. */
function named<T>(pass: string, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    if (cause instanceof InvariantError) throw cause;
    throw new InvariantError(`the pass "${pass}": ${describeError(cause)}`, { cause });
  }
}
