/**
 * One data-parallel step with owner-computes updates.
 *
 * Gradients are summed over slots (`slot-tree.ts`) and reduce-scattered to the owners of shards, in buckets that leave while
 * the last slot's backward pass goes on (`gradient-buckets.ts`); each owner updates its shards; the new parameters' bytes are
 * all-gathered, and each owner's optimizer state goes to its replica. So parameters are the same bits everywhere,
 * whatever the devices. A member sends (n-1)/n x 4P of gradients for each block that its slots make, as much of parameters
 * once, and 8P/n of optimizer state (two float32 vectors a parameter), in one hop each.
 */
import { assert } from "../../../base/assert.ts";
import { bytesOf, concatBytes, floatsOf, type Bytes } from "../../../base/bytes.ts";
import type { Clock } from "../../../base/clock.ts";
import { hashBytes, type Hash } from "../../../base/hash.ts";
import type { Group } from "../../../network/collectives/group.ts";
import type { Audit, ShardMap } from "../../../network/wire/messages.ts";
import type { StepTimes } from "../../../network/wire/run-line.ts";
import { makeVersion, type OptimizerShard, type Version } from "../../recovery/replica.ts";
import { fromOwnerOrder, gatherShards, ownerLayout, shardRange, type OwnerLayout } from "../shards.ts";
import { BUCKETS_MAX, GradientExchange } from "./gradient-buckets.ts";
import type { Owners } from "./packed-layout.ts";
import type { PackedSlot, SlotCourse } from "./packed-slots.ts";
import type { ArrivedBucket } from "./packed-sums.ts";
import { auditSlots, giveOwn, type Fingerprinted, type Givers, type StepCover } from "./slot-sums.ts";

/** What computes: one replica of the model on one device. */
export interface StepEngine {
  readonly parameterCount: number;
  /** Float32 state values of the optimizer for each parameter. */
  readonly stateFloats: number;
  /** Parts that a step's batch is cut into. */
  readonly slots: number;
  /** Packs gradients for the wire, with the same codec on all members; they go out as they are if it is left out or null. */
  readonly packing?: SlotPacking | null;
  /**
   * With `parameters`: the mean loss of a slot of a step, and its gradient, flat, in the order of the parameters. It may
   * tell `onBucket` of the `gradientBuckets`, in their order, as soon as each is there, with the gradient as it is so far.
   */
  slot(
    parameters: Float32Array<ArrayBuffer>,
    step: number,
    slot: number,
    onBucket?: (gradient: Float32Array) => void,
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

/** What sums and packs gradients where they are computed, and unpacks and sums what others packed. */
export interface SlotPacking {
  /** As `StepEngine.slot`, but the gradient, weighted with 1 / slots, is added to the sum of the step on the device. */
  slot(parameters: Float32Array<ArrayBuffer>, slot: number, course: SlotCourse): Promise<PackedSlot>;
  /** Packs a sum that the host has, in place of one on the device. */
  pack(sum: Float32Array, course: Pick<SlotCourse, "plan" | "onBucket">): Promise<void>;
  /** Adds what has come of a bucket to the own part of it, in the order of ranks. @throws ProtocolError */
  add(arrived: ArrivedBucket): Promise<void>;
  /** The sums of this rank's elements, in their order, when all buckets have been added. */
  own(owners: Owners): Promise<Float32Array<ArrayBuffer>>;
}

export interface StepInput {
  readonly engine: StepEngine;
  readonly group: Group;
  readonly map: ShardMap;
  readonly step: number;
  /** Slots by rank. */
  readonly slots: readonly (readonly number[])[];
  /** Slots that somebody computes beside their owners. */
  readonly audits?: readonly Audit[];
  /** The committed version; null for a listener, which only receives. */
  readonly committed: Version | null;
  /** Of a step in which late members' slots are computed twice. */
  readonly cover?: StepCover | null;
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

export interface StepOutput {
  readonly version: Version;
  readonly losses: readonly (readonly [number, number])[];
  /** Of audited slots that this rank computed. */
  readonly fingerprints: readonly Fingerprinted[];
  readonly times: StepTimes;
  /** Own parameter shards' hashes. */
  readonly parameters: readonly (readonly [number, Hash])[];
}

/** Operation ids of a step: each collective of each step has its own. */
const [PARAMETERS, REPLICAS, GRADIENTS] = [0, 1, 2];
const OPERATIONS = GRADIENTS + BUCKETS_MAX;

/** Whether gradients leave by an operation of a step, by its name in a trace: "exchange 10". */
export function isOfGradients(operation: string): boolean {
  return Number(operation.split(" ").at(-1)) % OPERATIONS >= GRADIENTS;
}

/** Runs a step. Changes nothing but the device's working memory: the result is pending until its COMMIT. */
export async function runDataParallelStep(input: StepInput): Promise<StepOutput> {
  const { engine, group, map, step, committed, clock } = input;
  const layout = ownerLayout(engine.parameterCount, map.owner, group.size);
  const startMs = clock.nowMs();
  const options = { deadlineMs: input.deadlineMs, signal: input.signal };
  const ended = new AbortController();
  const open = (givers: Givers): GradientExchange => openExchange(input, givers, ended.signal);
  const { losses, fingerprints, computeMs, gradients } = await giveOwn(input, open).catch((error: unknown) => {
    ended.abort(error); // What has left already is not waited for.
    throw error;
  });
  const computedMs = clock.nowMs();
  // While the network has the gradients, the device is free.
  const audited = auditSlots(input);
  audited.catch(() => {}); // It is awaited below, unless the step failed before.
  const own = await gradients.own();
  const reducedMs = clock.nowMs();
  const updated = await updateOwn(input, layout, own);
  const updatedMs = clock.nowMs();
  const [parameters, replicas] = await Promise.all([
    group.allGather(
      bytesOf(updated.parameters),
      layout.bounds.map((bound) => bound * 4),
      {
        ...options,
        operation: step * OPERATIONS + PARAMETERS,
        category: "parameters",
      },
    ),
    exchangeReplicas(input, updated.optimizer),
  ]);
  const gatheredMs = clock.nowMs();
  const others = await audited;
  const auditedMs = clock.nowMs();
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
    fingerprints: [...fingerprints, ...others],
    parameters: (layout.shards[group.rank] ?? []).map((shard) => [shard, version.parameterHashes[shard] ?? ""]),
    times: {
      compute: computeMs + (updatedMs - reducedMs) + (hashedMs - auditedMs),
      // An all-gather moves the same bytes with nobody late: what the reduce-scatter took beyond it was waiting.
      network: network + Math.min(reducing, network),
      waiting: computedMs - startMs - computeMs + Math.max(0, reducing - network) + (auditedMs - gatheredMs),
    },
  };
}

function openExchange(
  { engine, group, map, step, deadlineMs, signal }: StepInput,
  givers: Givers,
  ended: AbortSignal,
): GradientExchange {
  return new GradientExchange({
    group,
    owner: map.owner,
    count: engine.parameterCount,
    givers,
    step,
    packing: engine.packing ?? null,
    options: {
      deadlineMs,
      signal: AbortSignal.any([signal, ended]),
      operation: step * OPERATIONS + GRADIENTS,
      category: "gradients",
    },
  });
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
  const options = {
    deadlineMs,
    signal,
    operation: step * OPERATIONS + REPLICAS,
    category: "optimizerReplica",
  } as const;
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
