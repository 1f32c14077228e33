/** Names of kernels, for people: what is computed, and for which shapes. */
import { formatShape } from "../layout/shape.ts";
import { attentionOf } from "./infer-attention.ts";
import { readInputs, type Node } from "./ir.ts";
import type { Region } from "./regions.ts";
import type { Group } from "./schedule.ts";

const STEPS_MAX = 5;

/** The groups of a region, one after another. */
export function describeRegion({ groups }: Region, isStored: (node: Node) => boolean): string {
  return groups.map((group) => describeGroup(group, isStored)).join(" | ");
}

/** "sum [128, 64] -> [128, 1]; multiply add" */
function describeGroup(group: Group, isStored: (node: Node) => boolean): string {
  const { root, core, epilogue } = group;
  if (core.primitive.kind === "contraction") {
    const [x] = core.inputs;
    const [batch = 1, rows = 1, columns = 1] = core.shape;
    return `contraction ${batch} x [${rows}, ${x?.shape[2] ?? 0}] x [${x?.shape[2] ?? 0}, ${columns}]${after(epilogue)}`;
  }
  if (core.primitive.kind === "attention") {
    const { batch, group, queries, keys, depth, width, causal } = attentionOf(core);
    const sizes = `${batch} x ${group} x [${queries}, ${depth}] x [${keys}, ${depth}] x [${keys}, ${width}]`;
    return `attention ${core.primitive.part} ${sizes}${causal ? ", causal" : ""}`;
  }
  const [x] = core.inputs;
  if (core !== root || isLoop(core)) {
    const steps = x === undefined ? [] : stepsUnder(x, isStored);
    const of = steps.length > 0 ? ` of ${listed(steps)}` : "";
    return `${stepName(core)} ${formatShape(x?.shape ?? [])} -> ${formatShape(core.shape)}${of}${after(epilogue)}`;
  }
  const inputs = root.inputs.flatMap((input) => stepsUnder(input, isStored));
  return `${listed([...new Set([...inputs, stepName(root)])])} ${formatShape(root.shape)}`;
}

function isLoop({ primitive: { kind } }: Node): boolean {
  return kind === "reduce" || kind === "scan" || kind === "scatterAdd";
}

function after(epilogue: readonly Node[]): string {
  const steps = epilogue.map(stepName);
  return steps.length === 0 ? "" : `; ${listed(steps)}`;
}

function listed(steps: readonly string[]): string {
  return steps.length <= STEPS_MAX ? steps.join(" ") : `${steps.slice(0, STEPS_MAX).join(" ")} ...`;
}

function stepName({ primitive }: Node): string {
  return "fn" in primitive ? (primitive.kind === "scan" ? `scan ${primitive.fn}` : primitive.fn) : primitive.kind;
}

/** The distinct steps that are computed for `node`, first ones first; not of stored nodes. */
function stepsUnder(node: Node, isStored: (node: Node) => boolean): string[] {
  const names = new Set<string>();
  const seen = new Set<Node>();
  const stack = [node];
  for (let at = stack.pop(); at !== undefined && names.size <= STEPS_MAX; at = stack.pop()) {
    if (seen.has(at) || isStored(at)) continue;
    seen.add(at);
    if (at.primitive.kind !== "constant") names.add(stepName(at));
    stack.push(...readInputs(at));
  }
  return [...names].reverse();
}
