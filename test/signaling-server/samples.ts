/** Records, specs and messages for the server's tests. */
import { Random } from "../../src/base/random.ts";
import { SHARDS, type CommitRecord } from "../../src/network/wire/state-record.ts";
import type { ClientMessage } from "../../src/network/wire/messages.ts";
import type { RunSpec } from "../../src/network/wire/run-spec.ts";
import { PROTOCOL_VERSION } from "../../src/network/wire/messages.ts";
import type { LogRecord } from "../../src/training/coordinator/protocol.ts";

const SPEC: RunSpec = {
  run: "char-gpt",
  seed: 7,
  steps: 60,
  checkpointEvery: 5,
  startWith: 1,
  data: null,
  settings: {},
};

/** 64 hexadecimal characters that say what they stand for: cheaper than a SHA-256, of which a record has 245. */
export function fakeHash(text: string): string {
  return Buffer.from(text).toString("hex").slice(-64).padStart(64, "0");
}

function commitRecord(step: number, label = "a"): CommitRecord {
  const hashes = (kind: string): string[] =>
    Array.from({ length: SHARDS }, (_, shard) => fakeHash(`${kind}/${label}/${step}/${shard}`));
  return {
    incarnation: 1,
    epoch: 1,
    step,
    chain: fakeHash(`chain/${label}/${step}`),
    previous: fakeHash(`chain/${label}/${step - 1}`),
    parameterRoot: fakeHash(`root/${label}/${step}`),
    parameters: hashes("parameters"),
    optimizer: hashes("optimizer"),
    stateHash: fakeHash(`state/${label}/${step}`),
  };
}

export function commit(step: number, label = "a"): LogRecord {
  return { kind: "commit", record: commitRecord(step, label), loss: 4 - step / 100 };
}

/** The `count`th quarantine of `device`, begun `hour` hours into a run. */
export function quarantined(device: string, count: number, hour = 0): LogRecord {
  const fromWallMs = 1_700_000_000_000 + hour * 3_600_000;
  return {
    kind: "quarantine",
    device,
    count,
    fromWallMs,
    untilWallMs: fromWallMs + 120_000 * count,
    reason: "It differs.",
  };
}

export const ROOM: LogRecord = { kind: "room", room: "a".repeat(26), spec: SPEC };

/** A history as the coordinator could have written it: restarts, epochs, commits, checkpoints, rollbacks, ends. */
export function randomHistory(seed: number, count: number): LogRecord[] {
  const random = new Random(seed, "history");
  const records: LogRecord[] = [ROOM];
  let incarnation = 0;
  let epoch = 0;
  let step = -1;
  let generation = 0;
  let kept: { generation: number; step: number }[] = [];
  while (records.length < count) {
    const label = String(incarnation);
    const last = records.at(-1)?.kind;
    switch (random.below(9)) {
      case 0:
        records.push({ kind: "incarnation", incarnation: ++incarnation });
        break;
      case 1:
        records.push({ kind: "epoch", epoch: ++epoch, members: [{ peer: `p${epoch}`, device: `d${epoch}` }] });
        break;
      case 2:
        if (last !== "commit" || step < 1) break;
        kept = [...kept, { generation: ++generation, step }].slice(-2);
        records.push({
          kind: "checkpoint",
          generation,
          record: commitRecord(step, label),
          loss: step,
          holders: Array.from({ length: SHARDS }, () => ["d1"]),
        });
        break;
      case 3: {
        if (step < 0) break;
        const to = random.pick([{ generation: 0, step: -1 }, ...kept]);
        kept = kept.filter((candidate) => candidate.generation <= to.generation);
        step = to.step;
        records.push({ kind: "rollback", generation: to.generation, step: Math.max(0, to.step) });
        break;
      }
      case 4:
        if (random.below(10) === 0 && step > 0) records.push({ kind: "end", step, digests: {} });
        break;
      case 5:
        // A record is an hour here, so some are remembered and some are forgotten.
        records.push(quarantined(`d${random.below(5)}`, 1 + random.below(5), records.length));
        break;
      default:
        step += 1;
        records.push(commit(step, label));
    }
  }
  return records;
}

export function hello(room: string, role: "member" | "observer" = "member", peer = "peer1"): ClientMessage {
  return {
    kind: "hello",
    protocol: PROTOCOL_VERSION,
    room,
    role,
    info: { peer, device: "device1", engine: "reference: CPU" },
  };
}
