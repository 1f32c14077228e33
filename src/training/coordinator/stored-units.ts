/** Which devices a checkpoint can be put together from. */
import { SHARDS } from "../../network/wire/state-record.ts";
import type { StoredStripe } from "./protocol.ts";

/** A checkpoint by where its parts are. */
export interface StoredUnits {
  /** For each unit, shards first and then parity, the devices that stored it. */
  readonly holders: readonly (readonly string[])[];
  readonly stripes?: readonly StoredStripe[];
}

/** Devices of which at least one is needed besides `devices`; none where these have everything, or stripes give the rest. */
export function missingDevices(checkpoint: StoredUnits | null, devices: readonly string[]): readonly string[] {
  if (checkpoint === null) return [];
  const here = new Set(devices);
  const isHad = (unit: number): boolean => (checkpoint.holders[unit] ?? []).some((device) => here.has(device));
  const lacking = new Set(Array.from({ length: SHARDS }, (_, shard) => shard).filter((shard) => !isHad(shard)));
  for (const { shards, parity } of checkpoint.stripes ?? []) {
    const rows = parity.filter(({ unit }) => isHad(unit)).length;
    const isEnough = shards.filter((shard) => lacking.has(shard)).length <= rows;
    if (isEnough) for (const shard of shards) lacking.delete(shard);
  }
  return [...new Set([...lacking].flatMap((shard) => checkpoint.holders[shard] ?? []))].sort();
}
