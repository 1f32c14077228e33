import { expect, test } from "vitest";
import { hashBytes } from "../../../src/base/hash.ts";
import { SHARDS } from "../../../src/network/wire/state-record.ts";
import type { ClientMessage } from "../../../src/network/wire/messages.ts";
import { parseClientMessage } from "../../../src/network/wire/validate.ts";
import {
  genesisVersion,
  makeVersion,
  Replica,
  type OptimizerShard,
  type Version,
} from "../../../src/training/recovery/replica.ts";

function versionAt(step: number): Version {
  const optimizer = new Map<number, OptimizerShard>();
  for (let shard = 0; shard < SHARDS; shard++) {
    const bytes = Uint8Array.of(step, shard);
    optimizer.set(shard, { bytes, hash: hashBytes(bytes) });
  }
  return makeVersion(step, new Float32Array(240).fill(step), optimizer);
}

const genesis = genesisVersion(new Float32Array(240), 2);

test("an inventory names each shard once, and is a message that the coordinator takes", () => {
  const replica = new Replica(genesis);
  for (let step = 1; step <= 9; step++) {
    replica.replace(versionAt(step));
    replica.setPending(versionAt(step + 100));
    const inventory = replica.inventory([]);
    expect(new Set(inventory.optimizer.map(String)).size).toBe(inventory.optimizer.length);
    const message: ClientMessage = { kind: "ready", incarnation: 1, epoch: 1, inventory };
    expect(parseClientMessage(JSON.stringify(message))).toEqual(message);
  }
});

test("old shards can be had until a step begins, and the zeros of step 0 count for every shard", () => {
  const replica = new Replica(genesis);
  replica.replace(genesis);
  replica.replace(versionAt(1));
  expect(replica.inventory([]).optimizer).toHaveLength(2 * SHARDS);
  const old = versionAt(1).optimizer.get(5);
  replica.replace(versionAt(2));
  expect(replica.find(old?.hash ?? "")).toEqual(old?.bytes);
  replica.settle();
  expect(replica.find(old?.hash ?? "")).toBeUndefined();
  expect(replica.inventory([]).optimizer).toHaveLength(SHARDS);
});
