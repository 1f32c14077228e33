/**
 * Model states without arithmetic: content is named by how many updates made it.
 *
 * `p<shard>-d<k>` is parameter shard after k updates computed from the right state; anything computed from a mixture of
 * states, or under the wrong step, is marked bad for ever. So a wrong state that is committed cannot hide.
 */
import { hashList, type Hash } from "../../src/base/hash.ts";
import { SHARDS } from "../../src/network/wire/messages.ts";

export interface SimVersion {
  readonly step: number;
  readonly parameters: readonly Hash[];
  readonly parameterRoot: Hash;
  readonly optimizer: ReadonlyMap<number, Hash>;
}

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
  return { step, parameters, parameterRoot: hashList("parameters", parameters), optimizer };
}

/** What every member computes from the seed. */
export const GENESIS: SimVersion = simVersion(
  0,
  Array.from({ length: SHARDS }, (_, shard) => parameterName(shard, "d0")),
  new Map(Array.from({ length: SHARDS }, (_, shard) => [shard, optimizerName(shard, "d0")])),
);

/** The label of step `step` computed from contents with these labels. */
export function nextLabel(step: number, inputs: Iterable<string>): string {
  for (const label of inputs) if (label !== `d${step - 1}`) return `bad(${step} from ${label})`;
  return `d${step}`;
}
