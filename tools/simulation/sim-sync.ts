/** Getting an epoch's state in a simulation: own memory, own disk, other members, each read verified by content. */
import type { Hash } from "../../src/base/hash.ts";
import type { EpochMessage } from "../../src/training/recovery/member.ts";
import type { Cluster } from "./cluster.ts";
import type { SimMember } from "./sim-member.ts";
import { labelOf, simVersion, type SimVersion } from "./versions.ts";

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
  const read = (hash: Hash, sources: readonly string[]): Hash | undefined => {
    let found = member.read(hash);
    for (const peer of sources) {
      if (found !== undefined) break;
      if (cluster.canReach(member.peer, peer)) found = cluster.member(peer)?.read(hash);
    }
    return found;
  };
  const get = (kind: Kind, shard: number): Hash => {
    const hash = hashOf(epoch, kind, shard);
    const found = read(hash, sourcesOf(epoch, kind, shard)) ?? rebuilt(epoch, kind, shard, read, missing);
    if (found === undefined) missing.push(hash);
    return found ?? hash;
  };
  const hasAll = member.committed?.parameterRoot === record.parameterRoot;
  const parameters = hasAll
    ? (member.committed?.parameters ?? [])
    : record.parameters.map((_, shard) => get("parameter", shard));
  const optimizer = new Map<number, Hash>();
  record.optimizer.forEach((_, shard) => {
    if (map.owner[shard] !== rank && map.replica[shard] !== rank) return;
    optimizer.set(shard, get("optimizer", shard));
  });
  return { version: simVersion(record.step, parameters, optimizer), missing };
}

type Kind = "parameter" | "optimizer";

function hashOf({ record }: EpochMessage, kind: Kind, shard: number): Hash {
  return (kind === "parameter" ? record.parameters : record.optimizer)[shard] ?? "";
}

function sourcesOf({ parameterSources, optimizerSources }: EpochMessage, kind: Kind, shard: number): readonly string[] {
  return (kind === "parameter" ? parameterSources : optimizerSources)[shard] ?? [];
}

/** The shard by the others of its stripe and their parity, where there are enough. What was promised in vain joins `missing`. */
function rebuilt(
  epoch: EpochMessage,
  kind: Kind,
  shard: number,
  read: (hash: Hash, sources: readonly string[]) => Hash | undefined,
  missing: Hash[],
): Hash | undefined {
  const stripe = epoch.stripes.find(({ shards }) => shards.includes(shard));
  if (!stripe) return undefined;
  const wanted = hashOf(epoch, kind, shard);
  const parts = [
    ...stripe.shards
      .filter((other) => other !== shard)
      .map((other) => ({ hash: hashOf(epoch, kind, other), sources: sourcesOf(epoch, kind, other) })),
    ...stripe.parity.map((entry) => ({ hash: entry[kind], sources: entry.sources })),
  ];
  // Parity of other bytes gives other bytes.
  const good = parts.filter(
    ({ hash, sources }) => read(hash, sources) !== undefined && labelOf(hash) === labelOf(wanted),
  );
  if (good.length >= stripe.shards.length) return wanted;
  for (const part of parts) if (part.sources.length > 0 && !good.includes(part)) missing.push(part.hash);
  return undefined;
}
