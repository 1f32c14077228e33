/**
 * One data-parallel step with owner-computes updates.
 *
 * Gradients are summed slot by slot, reduce-scattered to the owners of shards; each owner updates its shards; the new
 * parameters' bytes are all-gathered, and each owner's optimizer state goes to its replica. So parameters are the same
 * bits everywhere, whatever the devices. A member sends (n-1)/n x 4P of gradients, as much of parameters, and 8P/n of
 * optimizer state (two float32 vectors a parameter), in one hop each.
 */
import { assert } from "../../../base/assert.ts";
import { bytesOf, concatBytes, floatsOf, type Bytes } from "../../../base/bytes.ts";
import type { Clock } from "../../../base/clock.ts";
import { OptionError } from "../../../base/errors.ts";
import { hashBytes, type Hash } from "../../../base/hash.ts";
import type { Group } from "../../../network/collectives/group.ts";
import type { ShardMap, StepTimes } from "../../../network/wire/messages.ts";
import { makeVersion, type OptimizerShard, type Version } from "../../recovery/replica.ts";
import { fromOwnerOrder, gatherShards, ownerLayout, shardRange, toOwnerOrder, type OwnerLayout } from "../shards.ts";

/** What computes: one replica of the model on one device. */
export interface StepEngine {
  readonly parameterCount: number;
  /** Float32 state values of the optimizer for each parameter. */
  readonly stateFloats: number;
  /** Parts that a step's batch is cut into. */
  readonly slots: number;
  /** With `parameters`: the mean loss of a slot of a step, and its gradient, flat, in the order of the parameters. */
  slot(
    parameters: Float32Array<ArrayBuffer>,
    step: number,
    slot: number,
  ): Promise<{ readonly loss: number; readonly gradient: Float32Array }>;
  /**
   * The optimizer's update `step` on any choice of parameters. `state` holds its vectors one after another, each as
   * long as `parameters`; so does the result's.
   */
  update(input: {
    readonly step: number;
    readonly parameters: Float32Array<ArrayBuffer>;
    readonly gradient: Float32Array<ArrayBuffer>;
    readonly state: Float32Array<ArrayBuffer>;
  }): Promise<{ readonly parameters: Float32Array<ArrayBuffer>; readonly state: Float32Array<ArrayBuffer> }>;
}

export interface StepInput {
  readonly engine: StepEngine;
  readonly group: Group;
  readonly map: ShardMap;
  readonly step: number;
  /** Slots by rank. */
  readonly slots: readonly (readonly number[])[];
  /** The committed version; null for a listener, which only receives. */
  readonly committed: Version | null;
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

export interface StepOutput {
  readonly version: Version;
  readonly losses: readonly (readonly [number, number])[];
  readonly times: StepTimes;
  /** Own parameter shards' hashes. */
  readonly parameters: readonly (readonly [number, Hash])[];
}

/** Operation ids of a step: each collective of each step has its own. */
const OPERATIONS = 4;

/** Runs a step. Changes nothing but the device's working memory: the result is pending until its COMMIT. */
export async function runDataParallelStep(input: StepInput): Promise<StepOutput> {
  const { engine, group, map, step, committed, clock } = input;
  const layout = ownerLayout(engine.parameterCount, map.owner, group.size);
  const startMs = clock.nowMs();
  const { gradient, losses } = await sumSlots(input);
  const computedMs = clock.nowMs();
  const contributors = [...input.slots.keys()].filter((rank) => (input.slots[rank]?.length ?? 0) > 0);
  const options = { deadlineMs: input.deadlineMs, signal: input.signal };
  const ordered = gradient ? toOwnerOrder(gradient, layout) : new Float32Array(0);
  const own = await group.reduceScatter(ordered, layout.bounds, contributors, {
    ...options,
    operation: step * OPERATIONS,
    category: "gradients",
  });
  const reducedMs = clock.nowMs();
  const updated = await updateOwn(input, layout, own);
  const updatedMs = clock.nowMs();
  const [parameters, replicas] = await Promise.all([
    group.allGather(
      bytesOf(updated.parameters),
      layout.bounds.map((bound) => bound * 4),
      {
        ...options,
        operation: step * OPERATIONS + 1,
        category: "parameters",
      },
    ),
    exchangeReplicas(input, updated.optimizer),
  ]);
  const gatheredMs = clock.nowMs();
  const version = makeVersion(
    step,
    fromOwnerOrder(floatsOf(parameters), layout),
    new Map([...updated.optimizer, ...replicas]),
  );
  const hashedMs = clock.nowMs();
  const network = gatheredMs - updatedMs;
  const reducing = reducedMs - computedMs;
  assert(
    committed === null || committed.step === step - 1,
    `runDataParallelStep: step ${step} from step ${committed?.step}`,
  );
  return {
    version,
    losses,
    parameters: (layout.shards[group.rank] ?? []).map((shard) => [shard, version.parameterHashes[shard] ?? ""]),
    times: {
      compute: computedMs - startMs + (updatedMs - reducedMs) + (hashedMs - gatheredMs),
      // An all-gather moves the same bytes with nobody late: what the reduce-scatter took beyond it was waiting.
      network: network + Math.min(reducing, network),
      waiting: Math.max(0, reducing - network),
    },
  };
}

/** The slots' gradients, each weighted by its share of the batch, summed in slot order. Null when this rank has none. */
async function sumSlots(input: StepInput): Promise<{ gradient: Float32Array | null; losses: [number, number][] }> {
  const { engine, group, step, slots, committed, signal } = input;
  const own = slots[group.rank] ?? [];
  if (own.length === 0) return { gradient: null, losses: [] };
  assert(committed !== null, "runDataParallelStep: a listener was given slots");
  const sum = new Float32Array(engine.parameterCount);
  const losses: [number, number][] = [];
  const weight = 1 / engine.slots;
  for (const slot of own) {
    signal.throwIfAborted();
    const { loss, gradient } = await engine.slot(committed.parameters, step, slot);
    if (!Number.isFinite(loss)) {
      throw new OptionError(`step ${step}: expected a finite loss, found ${loss}; a lower learning rate may help`);
    }
    for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + weight * (gradient[i] as number);
    losses.push([slot, loss]);
  }
  return { gradient: sum, losses };
}

interface Updated {
  readonly parameters: Float32Array<ArrayBuffer>;
  readonly optimizer: ReadonlyMap<number, OptimizerShard>;
}

/** The update of this rank's own shards, all in one call. */
async function updateOwn(input: StepInput, layout: OwnerLayout, gradient: Float32Array): Promise<Updated> {
  const { engine, group, step, committed } = input;
  const shards = layout.shards[group.rank] ?? [];
  if (shards.length === 0 || !committed) return { parameters: new Float32Array(0), optimizer: new Map() };
  const parameters = gatherShards(committed.parameters, shards);
  const count = parameters.length;
  const state = new Float32Array(count * engine.stateFloats);
  eachStateRange(input, shards, (shard, vector, at, length) => {
    const bytes = committed.optimizer.get(shard)?.bytes;
    assert(bytes !== undefined, `runDataParallelStep: optimizer shard ${shard} is missing at its owner`);
    state.set(floatsOf(bytes).subarray(vector * length, (vector + 1) * length), vector * count + at);
  });
  const updated = await engine.update({ step, parameters, gradient: new Float32Array(gradient), state });
  const optimizer = new Map<number, OptimizerShard>();
  const parts = new Map<number, Float32Array<ArrayBuffer>>();
  eachStateRange(input, shards, (shard, vector, at, length) => {
    const part = parts.get(shard) ?? new Float32Array(length * engine.stateFloats);
    part.set(updated.state.subarray(vector * count + at, vector * count + at + length), vector * length);
    parts.set(shard, part);
  });
  for (const shard of shards) {
    const bytes = bytesOf(parts.get(shard) ?? new Float32Array(0));
    optimizer.set(shard, { bytes, hash: hashBytes(bytes) });
  }
  return { parameters: updated.parameters, optimizer };
}

/** Visits where each state vector of each shard lies: `at` elements into the gathered vector. */
function eachStateRange(
  { engine }: StepInput,
  shards: readonly number[],
  visit: (shard: number, vector: number, at: number, length: number) => void,
): void {
  let at = 0;
  for (const shard of shards) {
    const [from, to] = shardRange(engine.parameterCount, shard);
    for (let vector = 0; vector < engine.stateFloats; vector++) visit(shard, vector, at, to - from);
    at += to - from;
  }
}

/** Sends own optimizer shards to their replicas and receives those this rank keeps for others: one message a pair, shards in ascending order. */
async function exchangeReplicas(
  { engine, group, map, step, deadlineMs, signal }: StepInput,
  own: ReadonlyMap<number, OptimizerShard>,
): Promise<Map<number, OptimizerShard>> {
  const outgoing = new Map<number, Bytes[]>();
  const incoming = new Map<number, number[]>();
  map.owner.forEach((owner, shard) => {
    const replica = map.replica[shard] ?? owner;
    if (replica === owner) return;
    const bytes = own.get(shard)?.bytes;
    if (owner === group.rank && bytes) outgoing.set(replica, [...(outgoing.get(replica) ?? []), bytes]);
    if (replica === group.rank) incoming.set(owner, [...(incoming.get(owner) ?? []), shard]);
  });
  const payloads = new Map([...outgoing].map(([rank, parts]) => [rank, concatBytes(parts)]));
  const options = { deadlineMs, signal, operation: step * OPERATIONS + 2, category: "optimizerReplica" } as const;
  const arrived = await group.exchange(payloads, [...incoming.keys()], options);
  const received = new Map<number, OptimizerShard>();
  for (const [rank, shards] of incoming) {
    const payload = arrived.get(rank) ?? new Uint8Array(0);
    let at = 0;
    for (const shard of shards) {
      const [from, to] = shardRange(engine.parameterCount, shard);
      const bytes = payload.slice(at, at + (to - from) * engine.stateFloats * 4);
      received.set(shard, { bytes, hash: hashBytes(bytes) });
      at += bytes.byteLength;
    }
    assert(
      at === payload.byteLength,
      `exchangeReplicas: expected ${at} bytes from rank ${rank}, found ${payload.byteLength}`,
    );
  }
  return received;
}
