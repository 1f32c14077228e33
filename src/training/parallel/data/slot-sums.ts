/**
 * What a member adds to a step's gradient: sums over its slots, sent bucket by bucket while the last slot's backward pass
 * goes on.
 *
 * In a step with backups some slots are computed at two members, and the coordinator decides whose sum counts, once and
 * for everybody; nothing is sent before. What it does not need any more is not waited for: a member that is late gives
 * its slots up, leaves the one under way to itself, and takes part in the rest of the step.
 */
import { assert, present } from "../../../base/assert.ts";
import { HearthError } from "../../../base/errors.ts";
import { withDeadline } from "../../../base/wait.ts";
import type { Backup, Fingerprint } from "../../../network/wire/messages.ts";
import { fingerprintOf } from "../fingerprint.ts";
import type { SlotPacking, StepEngine, StepInput } from "./data-parallel-step.ts";
import type { GradientExchange } from "./gradient-buckets.ts";
import type { PackedMessages } from "./packed-bucket.ts";
import { BlockSums, joinBlocks, totalOf, type BlockSum } from "./slot-tree.ts";

/** A step whose slots are partly computed twice. */
export interface StepCover {
  readonly backups: readonly Backup[];
  /** Told when the slots planned for `rank` are computed here. */
  readonly onComputed: (rank: number) => void;
  /** Ranks whose slots count as their backups computed them. */
  readonly decision: Promise<readonly number[]>;
}

/** null where the loss or the gradient is not finite. */
export type Fingerprinted = readonly [slot: number, fingerprint: Fingerprint | null];

/** A slot's loss is not finite, and nobody else computes that slot. */
export class SlotError extends HearthError {
  readonly code = "numeric";
  readonly slot: number;

  constructor(step: number, slot: number, loss: number) {
    super(`step ${step}: expected a finite loss, found ${loss}; a lower learning rate may help`);
    this.slot = slot;
  }
}

/** Where buckets leave: `GradientExchange`. */
export type Outgoing = Pick<GradientExchange, "buckets" | "sent" | "send" | "plan" | "sendPacked">;

/** What this rank gave to the step. */
export interface OwnSum<Exchange extends Outgoing> {
  /** [slot, mean loss] of what is in it. */
  readonly losses: readonly (readonly [number, number])[];
  /** Of own slots that somebody else computes too. */
  readonly fingerprints: readonly Fingerprinted[];
  /** Spent on what is in it. */
  readonly computeMs: number;
  /** All of its buckets have been sent. */
  readonly gradients: Exchange;
}

/** Ranks that give something, and the slots that it is of: the same on all. */
export type Givers = ReadonlyMap<number, readonly number[]>;

/** Begins the exchange among them. */
type Open<Exchange> = (givers: Givers) => Exchange;

/** Slots computed one after another. */
interface Slots {
  readonly losses: readonly (readonly [number, number])[];
  readonly fingerprints: readonly Fingerprinted[];
  readonly computeMs: number;
}

/** And their gradients, flat, in the order of the parameters, weighted by the slot's share of the batch. */
interface Sum extends Slots {
  readonly sums: readonly BlockSum[];
}

/** Slots that were given up while a device computed them: the next one on it has to wait for them. */
const givenUp = new WeakMap<StepEngine, Promise<unknown>>();

/** Computes and sends what is planned for this rank. @throws DeadlineError where no decision comes in a step with backups */
export async function giveOwn<Exchange extends Outgoing>(
  input: StepInput,
  open: Open<Exchange>,
): Promise<OwnSum<Exchange>> {
  if (input.cover) return giveCovered(input, input.cover, open);
  const { engine, group } = input;
  const givers = new Map(working(input).map((rank) => [rank, slotsOf(input, rank)]));
  const gradients = open(givers);
  const own = slotsOf(input, group.rank);
  if (own.length === 0) {
    sendAll(gradients, []);
    return { losses: [], fingerprints: [], computeMs: 0, gradients };
  }
  const { packing } = engine;
  const compute = packing ? packedSlots(input, packing, own, gradients) : hostSum(input, own, gradients).compute;
  const computed = await computeSlots(input, own, compute);
  assert(computed !== null, "giveOwn: given up without a decision");
  return { ...computed, gradients };
}

/** In ascending order. */
function slotsOf({ slots }: StepInput, rank: number): readonly number[] {
  return [...(slots[rank] ?? [])].sort((a, b) => a - b);
}

/** Ranks that are to compute. */
function working({ slots }: StepInput): number[] {
  return [...slots.keys()].filter((rank) => (slots[rank]?.length ?? 0) > 0);
}

function sendAll(gradients: Outgoing, sums: readonly BlockSum[]): void {
  while (gradients.sent < gradients.buckets.length) gradients.send(sums);
}

/** Own slots first, then those that are backed up here, until the coordinator has decided. */
async function giveCovered<Exchange extends Outgoing>(
  input: StepInput,
  cover: StepCover,
  open: Open<Exchange>,
): Promise<OwnSum<Exchange>> {
  const { engine, group, step, clock, deadlineMs, signal } = input;
  const what = `step ${step}: the decision whose slots count`;
  const decision = withDeadline(what, cover.decision, clock, { deadlineMs, signal });
  decision.catch(() => {}); // Told below, or by the sum that it ends.
  const own = group.rank;
  const ranks = working(input);
  const backedHere = cover.backups.filter(([, by]) => by === own).map(([rank]) => rank);
  const computed = new Map<number, Sum>();
  for (const rank of [own, ...backedHere].filter((each) => ranks.includes(each))) {
    const slots = slotsOf(input, rank);
    const { sums: own, compute } = hostSum(input, slots, null);
    const done = await computeSlots(input, slots, compute, decision);
    if (done === null) break;
    computed.set(rank, { ...done, sums: own });
    cover.onComputed(rank);
  }
  const late = await decision;
  const givers = ranks.map((rank) => {
    const giver = late.includes(rank) ? cover.backups.find(([of]) => of === rank)?.[1] : rank;
    assert(giver !== undefined, `step ${step}: rank ${rank} is late and has no backup`);
    return giver;
  });
  const given = new Map<number, readonly number[]>();
  for (const [at, giver] of givers.entries())
    given.set(giver, [...(given.get(giver) ?? []), ...slotsOf(input, present(ranks[at], "giveCovered: a rank"))]);
  const counted = ranks
    .filter((_, at) => givers[at] === own)
    .map((rank) =>
      present(computed.get(rank), `step ${step}: the slots of rank ${rank}, which count as computed here`),
    );
  const gradients = open(given);
  const sums = joinBlocks(counted.flatMap((sum) => sum.sums));
  if (sums.length === 0 || !engine.packing) sendAll(gradients, sums);
  else {
    const total = present(totalOf(sums), "giveCovered: a sum");
    await engine.packing.pack(total, { plan: gradients.plan, onBucket: (bucket) => gradients.sendPacked(bucket) });
  }
  const computeMs = counted.reduce((total, sum) => total + sum.computeMs, 0);
  // No slot is checked in a step with backups.
  return { losses: counted.flatMap(({ losses }) => losses), fingerprints: [], computeMs, gradients };
}

/** Computes number `at` of some slots and adds it to their sum. `isAudited`: its own gradient is needed too. */
type Compute = (
  slot: number,
  at: number,
  isAudited: boolean,
) => Promise<{ readonly loss: number; readonly gradient: Float32Array | null }>;

/** Sums on the host; to `gradients`, if there are any, the last slot's buckets leave as they are there. */
function hostSum(
  { engine, step, committed }: StepInput,
  slots: readonly number[],
  gradients: Outgoing | null,
): { readonly sums: readonly BlockSum[]; readonly compute: Compute } {
  const own = new BlockSums(engine.parameterCount);
  const compute: Compute = async (slot, at) => {
    const isLeaving = gradients !== null && at === slots.length - 1;
    const { parameters } = present(committed, "hostSum: parameters");
    const add = own.open(slot, 1 / engine.slots);
    const send = (gradient: Float32Array): void => {
      const bucket = gradients?.buckets[gradients.sent];
      if (bucket) add(gradient, bucket.from, bucket.to);
      gradients?.send(own.sums);
    };
    const { loss, gradient } = await engine.slot(parameters, step, slot, isLeaving ? send : undefined);
    if (!isLeaving) add(gradient, 0, engine.parameterCount);
    while (isLeaving && gradients.sent < gradients.buckets.length) send(gradient);
    return { loss, gradient };
  };
  return { sums: own.sums, compute };
}

/** Sums on the device, where the last slot's buckets are packed. */
function packedSlots(
  { committed }: StepInput,
  packing: SlotPacking,
  slots: readonly number[],
  gradients: Outgoing,
): Compute {
  const { plan } = gradients;
  return (slot, at, wantsGradient) => {
    const { parameters } = present(committed, "packedSlots: parameters");
    const [isFirst, isLast] = [at === 0, at === slots.length - 1];
    const onBucket = (bucket: PackedMessages): void => gradients.sendPacked(bucket);
    return packing.slot(parameters, slot, { plan, isFirst, isLast, wantsGradient, onBucket });
  };
}

/** Slots in their order; null once `decision` is there. @throws SlotError */
async function computeSlots(
  input: StepInput,
  slots: readonly number[],
  compute: Compute,
  decision?: Promise<unknown>,
): Promise<Slots | null> {
  const { engine, step, committed, signal, clock, audits = [] } = input;
  const audited = new Set(audits.map(({ slot }) => slot));
  const hasAudited = slots.some((slot) => audited.has(slot));
  assert(committed !== null, "computeSlots: a listener was given slots");
  const startMs = clock.nowMs();
  const losses: [number, number][] = [];
  const fingerprints: Fingerprinted[] = [];
  let fault: SlotError | null = null;
  if (decision && (await orNull(givenUp.get(engine) ?? Promise.resolve(), decision)) === null) return null;
  for (const [at, slot] of slots.entries()) {
    signal.throwIfAborted();
    const isAudited = audited.has(slot);
    const computing = compute(slot, at, isAudited);
    const result = await (decision ? orNull(computing, decision) : computing);
    if (result === null) {
      const over = computing.catch(() => {});
      givenUp.set(engine, over);
      return null;
    }
    const { loss, gradient } = result;
    if (isAudited) fingerprints.push([slot, fingerprintOf(loss, present(gradient, "an audited slot"), step, slot)]);
    else if (!Number.isFinite(loss)) fault ??= new SlotError(step, slot, loss);
    // With an audited slot of its own this rank may yet be told by others whether that is the model or its device.
    if (fault && !hasAudited) throw fault;
    if (Number.isFinite(loss)) losses.push([slot, loss]);
  }
  if (fault && fingerprints.every(([, fingerprint]) => fingerprint !== null)) throw fault;
  return { losses, fingerprints, computeMs: clock.nowMs() - startMs };
}

/** Computes slots of others, from the same parameters, for their fingerprints alone. */
export async function auditSlots(input: StepInput): Promise<Fingerprinted[]> {
  const { engine, group, step, committed, signal, audits = [] } = input;
  const found: Fingerprinted[] = [];
  for (const { slot } of audits.filter(({ rank }) => rank === group.rank)) {
    assert(committed !== null, "auditSlots: a listener was given slots to audit");
    signal.throwIfAborted();
    const { loss, gradient } = await engine.slot(committed.parameters, step, slot);
    found.push([slot, fingerprintOf(loss, gradient, step, slot)]);
  }
  return found;
}

/** What `work` gives, or null where `decision` comes first. */
function orNull<T>(work: Promise<T>, decision: Promise<unknown>): Promise<T | null> {
  return Promise.race([work, decision.then(() => null)]);
}
