/** Getting an epoch's state in a simulation: own memory, own disk, other members, each read verified by content. */
import type { Hash } from "../../src/base/hash.ts";
import type { EpochMessage } from "../../src/training/recovery/member.ts";
import type { Cluster } from "./cluster.ts";
import type { SimMember } from "./sim-member.ts";
import { simVersion, type SimVersion } from "./versions.ts";

/** The record's version with the shards that the map gives `member`, null for a listener; and what nobody could give. */
export function gatherVersion(
  cluster: Cluster,
  member: SimMember,
  epoch: EpochMessage,
): { readonly version: SimVersion | null; readonly missing: readonly Hash[] } {
  const rank = epoch.members.findIndex(({ peer }) => peer === member.peer);
  const { record, map } = epoch;
  const missing: Hash[] = [];
  if (epoch.members[rank]?.role !== "full") return { version: null, missing };
  const get = (hash: Hash, sources: readonly string[]): Hash => {
    let found = member.read(hash);
    for (const peer of sources) {
      if (found !== undefined) break;
      if (cluster.canReach(member.peer, peer)) found = cluster.member(peer)?.read(hash);
    }
    if (found === undefined) missing.push(hash);
    return found ?? hash;
  };
  const hasAll = member.committed?.parameterRoot === record.parameterRoot;
  const parameters = hasAll
    ? (member.committed?.parameters ?? [])
    : record.parameters.map((hash, shard) => get(hash, epoch.parameterSources[shard] ?? []));
  const optimizer = new Map<number, Hash>();
  record.optimizer.forEach((hash, shard) => {
    if (map.owner[shard] !== rank && map.replica[shard] !== rank) return;
    optimizer.set(shard, get(hash, epoch.optimizerSources[shard] ?? []));
  });
  return { version: simVersion(record.step, parameters, optimizer), missing };
}
