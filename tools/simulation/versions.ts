/**
 * Model states without arithmetic: content is named by how many updates made it.
 *
 * `p<shard>-d<k>` is parameter shard after k updates computed from the right state; anything computed from a mixture of
 * states, under the wrong step, or from a sample range that was left out or counted twice, is marked bad for ever. So a
 * wrong state that is committed cannot hide.
 */
import { hashList, type Hash } from "../../src/base/hash.ts";
import { SHARDS } from "../../src/network/wire/messages.ts";

export interface SimVersion {
  readonly step: number;
  readonly parameters: readonly Hash[];
  readonly parameterRoot: Hash;
  readonly optimizer: ReadonlyMap<number, Hash>;
}

/** Part of a step's gradient: from which parameters, and with what weight each slot went in. */
export interface SimGradient {
  readonly labels: ReadonlySet<string>;
  readonly weights: ReadonlyMap<number, number>;
}

/** Slots of a simulated batch. */
export const SLOTS = 8;

export const parameterName = (shard: number, label: string): Hash => `p${shard}-${label}`;
export const optimizerName = (shard: number, label: string): Hash => `o${shard}-${label}`;

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

/** The label of step `step` computed from contents with these labels. */
export function nextLabel(step: number, inputs: Iterable<string>): string {
  for (const label of inputs) if (label !== `d${step - 1}`) return `bad(${step} from ${label})`;
  return `d${step}`;
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
  return nextLabel(step, [...gradients.flatMap(({ labels }) => [...labels]), ...own]);
}
