/**
 * Model states without arithmetic: content is named by how many updates made it.
 *
 * `p<shard>-d<k>` is parameter shard after k updates computed from the right state; anything computed from a mixture of
 * states, under the wrong step, or from a sample range that was left out or counted twice, is marked bad for ever. So a
 * wrong state that is committed cannot hide.
 *
 * A gradient that a wrong driver computed leaves a taint, `d<k>~<hash>`: it stays in all that is made of it, and whether
 * it may be committed at all is for the invariants to say. Contents of different taints are a mixture.
 */
import { hashList, hashText, type Hash } from "../../src/base/hash.ts";
import { SHARDS } from "../../src/network/wire/state-record.ts";

export interface SimVersion {
  readonly step: number;
  readonly parameters: readonly Hash[];
  readonly parameterRoot: Hash;
  readonly optimizer: ReadonlyMap<number, Hash>;
}

/** Part of a step's gradient: from which parameters, and with what weight each slot went in. */
export interface SimGradient {
  readonly labels: ReadonlySet<string>;
  /** What a wrong driver made of it: the empty text where it is right. */
  readonly taint: string;
  readonly weights: ReadonlyMap<number, number>;
}

/** Slots of a simulated batch. */
export const SLOTS = 8;

export const parameterName = (shard: number, label: string): Hash => `p${shard}-${label}`;
export const optimizerName = (shard: number, label: string): Hash => `o${shard}-${label}`;

/** Parity over shards of one label. */
export function parityNames(
  { shards }: { readonly shards: readonly number[] },
  row: number,
  label: string,
): [Hash, Hash] {
  const what = `[${shards.join()}].${row}-${label}`;
  return [`pp${what}`, `oo${what}`];
}

/** The label in a name. */
export function labelOf(name: Hash): string {
  return name.slice(name.indexOf("-") + 1);
}

export function simVersion(
  step: number,
  parameters: readonly Hash[],
  optimizer: ReadonlyMap<number, Hash>,
): SimVersion {
  return { step, parameters, parameterRoot: rootOf(parameters), optimizer };
}

/** Shards of parameters with one label: nearly all there are, so they are made once. */
export function parametersOf(label: string): readonly Hash[] {
  let names = uniform.get(label);
  if (!names) {
    names = Array.from({ length: SHARDS }, (_, shard) => parameterName(shard, label));
    uniform.set(label, names);
  }
  return names;
}

const uniform = new Map<string, readonly Hash[]>();
const roots = new WeakMap<readonly Hash[], Hash>();

function rootOf(parameters: readonly Hash[]): Hash {
  const root = roots.get(parameters) ?? hashList("parameters", parameters);
  roots.set(parameters, root);
  return root;
}

/** What every member computes from the seed. */
export const GENESIS: SimVersion = simVersion(
  0,
  parametersOf("d0"),
  new Map(Array.from({ length: SHARDS }, (_, shard) => [shard, optimizerName(shard, "d0")])),
);

/** What wrong drivers left in a label of step `step`; null when it is of another step, or bad. */
export function taintOf(label: string, step: number): string | null {
  if (label === `d${step}`) return "";
  return label.startsWith(`d${step}~`) ? label.slice(`d${step}`.length) : null;
}

/** The label of step `step` computed from contents with these labels. */
function nextLabel(step: number, inputs: Iterable<string>, taint: string): string {
  let before: string | null = null;
  for (const label of inputs) {
    const found = taintOf(label, step - 1);
    if (found === null || (before !== null && found !== before)) return `bad(${step} from ${label})`;
    before = found;
  }
  return `d${step}${taint === "" ? (before ?? "") : `~${hashText(`${before}${taint}`).slice(0, 8)}`}`;
}

/** The label of an update by `gradients`: right if each slot went in once, with its share of the batch. */
export function updatedLabel(step: number, gradients: readonly SimGradient[], own: Iterable<string>): string {
  const weights = new Map<number, number>();
  for (const gradient of gradients) {
    for (const [slot, weight] of gradient.weights) weights.set(slot, (weights.get(slot) ?? 0) + weight);
  }
  for (let slot = 0; slot < SLOTS; slot++) {
    const weight = weights.get(slot) ?? 0;
    if (Math.abs(weight - 1 / SLOTS) > 1e-9) return `bad(${step} has slot ${slot} with weight ${weight.toFixed(3)})`;
  }
  const taints = [...new Set(gradients.map(({ taint }) => taint))].sort().join("");
  return nextLabel(step, [...gradients.flatMap(({ labels }) => [...labels]), ...own], taints);
}
