/** Everything that can happen next in a state of the model. */
import { hashList } from "../../src/base/hash.ts";
import { PROTOCOL_VERSION, type ClientMessage } from "../../src/network/wire/messages.ts";
import type { EpochMessage, MemberEvent } from "../../src/training/recovery/member.ts";
import { checkHeld, died, dispatch, feed, hungUp, withMember } from "./carry-out.ts";
import {
  GENESIS,
  hashesOf,
  inventoryOf,
  nameOf,
  type Copy,
  type Identity,
  type MemberModel,
  type Model,
} from "./model.ts";

export interface Successor {
  readonly action: string;
  readonly model: Model;
}

/** Longer than every deadline. */
const TIMEOUT_MS = 60_000;
const BACKOFF_MS = 5_000;

const roots = new Map<string, string>();

function rootOf(name: string): string {
  const root = roots.get(name) ?? hashList("parameters", hashesOf(name));
  roots.set(name, root);
  return root;
}

export function successors(model: Model, identity: Identity): Successor[] {
  const found: Successor[] = [];
  model.members.forEach((member, at) => {
    addServerSide(found, model, member);
    if (!member.isAsleep) addMemberSide(found, model, member, at, identity);
    addFaults(found, model, member, at);
  });
  addTime(found, model);
  if (model.budget.restarts > 0) {
    const budget = { ...model.budget, restarts: model.budget.restarts - 1 };
    const restarted = feed(died({ ...model, budget }), { kind: "start", wallMs: model.nowMs }).model;
    found.push({ action: "the coordinator restarts", model: restarted });
  }
  return found;
}

/** The next message of a member reaches the coordinator. */
function addServerSide(found: Successor[], model: Model, { conn, outbox, peer }: MemberModel): void {
  const [message, ...rest] = outbox;
  if (!message || conn === null) return;
  const at = model.members.findIndex((member) => member.peer === peer);
  const taken = withMember(model, at, { outbox: rest });
  const { model: next, crashes } = feed(taken, { kind: "message", conn, message });
  found.push({ action: `${message.kind} of ${peer} arrives`, model: next });
  if (model.budget.restarts === 0) return;
  const budget = { ...model.budget, restarts: model.budget.restarts - 1 };
  for (const crash of crashes) {
    const restarted = feed({ ...crash, budget }, { kind: "start", wallMs: model.nowMs }).model;
    found.push({
      action: `${message.kind} of ${peer} is committed, and the coordinator dies before it says so`,
      model: restarted,
    });
  }
}

/** What a member that is awake can do. */
function addMemberSide(found: Successor[], model: Model, member: MemberModel, at: number, identity: Identity): void {
  const { peer, inbox, work, conn, hasNoticed } = member;
  const [message, ...rest] = inbox;
  if (message) {
    const next = dispatch(withMember(model, at, { inbox: rest }), at, { kind: "server", message });
    found.push({ action: `${message.kind} reaches ${peer}`, model: next });
  }
  if (!hasNoticed) {
    const noticed = withMember(model, at, { hasNoticed: true });
    found.push({
      action: `${peer} notices that its socket is gone`,
      model: dispatch(noticed, at, { kind: "disconnected" }),
    });
  } else if (conn === null) found.push({ action: `${peer} connects`, model: connected(model, at) });
  if (work?.kind === "sync") found.push({ action: `${peer} syncs`, model: synced(model, at, work.epoch) });
  if (work?.kind === "step") {
    if (work.fed !== null) found.push({ action: `${peer} votes`, model: stepped(model, at, identity) });
    else if (isAnyoneGone(model, work.epoch)) {
      found.push({ action: `${peer} gives the step up`, model: failed(model, at, work.epoch, []) });
    }
  }
}

function addFaults(found: Successor[], model: Model, member: MemberModel, at: number): void {
  const { budget } = model;
  const { peer, isAsleep, conn } = member;
  if (isAsleep) found.push({ action: `${peer} wakes`, model: withMember(model, at, { isAsleep: false }) });
  else if (budget.suspends > 0) {
    const asleep = withMember(model, at, { isAsleep: true });
    found.push({
      action: `${peer} falls asleep`,
      model: { ...asleep, budget: { ...budget, suspends: budget.suspends - 1 } },
    });
  }
  if (budget.kills > 0) {
    const killed = { ...model, budget: { ...budget, kills: budget.kills - 1 } };
    const closed = conn ? feed(killed, { kind: "closed", conn }).model : killed;
    found.push({ action: `${peer} is killed and opened again`, model: withMember(closed, at, newborn(peer)) });
  }
}

/** Time passes: as a rule only until the coordinator tries again, by the budget until every deadline is over. */
function addTime(found: Successor[], model: Model): void {
  const { phase } = model.coordinator;
  if (phase.kind === "idle" && phase.notBeforeMs > model.nowMs) {
    const later = feed({ ...model, nowMs: model.nowMs + BACKOFF_MS }, { kind: "tick" }).model;
    found.push({ action: "the coordinator tries again", model: later });
  }
  const isIdle = found.length === 0 && model.coordinator.phase.kind !== "ended";
  if (model.budget.timeouts === 0 && !isIdle) return;
  const budget = { ...model.budget, timeouts: Math.max(0, model.budget.timeouts - 1) };
  let next: Model = { ...model, budget, nowMs: model.nowMs + TIMEOUT_MS };
  for (const { conn, isAsleep } of model.members) {
    if (conn && !isAsleep) next = feed(next, { kind: "message", conn, message: { kind: "heartbeat" } }).model;
  }
  found.push({ action: "every deadline passes", model: feed(next, { kind: "tick" }).model });
}

export function newborn(peer: string): MemberModel {
  return {
    peer,
    isAsleep: false,
    conn: null,
    hasNoticed: true,
    state: { epoch: null, committed: null, pending: null, activity: "idle", links: null },
    work: null,
    committed: null,
    pending: null,
    retired: [],
    inbox: [],
    outbox: [],
  };
}

function copiesOf({ committed, pending, retired }: MemberModel): Copy[] {
  return [committed, pending, ...retired].filter((copy) => copy !== null);
}

/** hello and join, taken as one. */
export function connected(model: Model, at: number): Model {
  const member = model.members[at] as MemberModel;
  const conn = `${member.peer}${model.conns}`;
  const info = { peer: member.peer, device: `device-${member.peer}`, engine: "model" };
  const hashes = hashesOf(GENESIS.name);
  const join: ClientMessage = {
    kind: "join",
    engine: "model",
    slots: 8,
    slotsPerSecond: 1,
    inventory: inventoryOf(copiesOf(member), rootOf),
    genesis: { parameters: hashes, optimizer: hashes },
  };
  const open = { ...withMember(model, at, { ...hungUp(member), conn, hasNoticed: true }), conns: model.conns + 1 };
  const hello = { kind: "hello", protocol: PROTOCOL_VERSION, room: "room", role: "member", info } as const;
  const greeted = feed(open, { kind: "message", conn, message: hello }).model;
  return feed(greeted, { kind: "message", conn, message: join }).model;
}

/** Gathers the epoch's state from memory, here and elsewhere; fails where somebody is gone or nobody has it. */
function synced(model: Model, at: number, epoch: EpochMessage): Model {
  const member = model.members[at] as MemberModel;
  if (isAnyoneGone(model, epoch)) return failed(model, at, epoch, [], goneOf(model, epoch));
  const rank = epoch.members.findIndex(({ peer }) => peer === member.peer);
  const wanted = epoch.record.parameters[0] ?? "";
  const others = model.members.filter(({ peer }) => peer !== member.peer && epoch.members.some((m) => m.peer === peer));
  const holders = [member, ...others].flatMap((holder) => [...copiesOf(holder), GENESIS]);
  const own = [...copiesOf(member), GENESIS].find(({ name }) => `h(${name})` === wanted);
  const source = own ?? holders.find(({ name }) => `h(${name})` === wanted);
  const isFull = epoch.members[rank]?.role === "full";
  if (isFull && !source) return failed(model, at, epoch, [wanted]);
  const shards = epoch.map.owner.flatMap((owner, shard) =>
    owner === rank || epoch.map.replica[shard] === rank ? [shard] : [],
  );
  const available = new Set(holders.filter(({ name }) => name === source?.name).flatMap((copy) => copy.shards));
  if (isFull && shards.some((shard) => !available.has(shard))) return failed(model, at, epoch, [wanted]);
  const committed = isFull && source ? { ...source, step: epoch.record.step, shards } : null;
  const retired = [...member.retired, ...[member.committed, member.pending].filter((copy) => copy !== null)];
  const kept = withMember(model, at, { committed, pending: null, work: null, retired: distinct(retired) });
  const copies = copiesOf(kept.members[at] as MemberModel);
  const inventory = inventoryOf(copies, rootOf);
  const roots = committed ? [epoch.record.parameterRoot] : [];
  const event: MemberEvent = { kind: "synced", fence: epoch, inventory: { ...inventory, parameterRoots: roots } };
  return checkHeld(dispatch(kept, at, event), at);
}

function distinct(copies: readonly Copy[]): Copy[] {
  const byContent = new Map(copies.map((copy) => [`${copy.name}:${copy.truth}:${copy.shards.join()}`, copy]));
  return [...byContent.values()];
}

function stepped(model: Model, at: number, identity: Identity): Model {
  const member = model.members[at] as MemberModel;
  if (member.work?.kind !== "step" || member.work.fed === null) return model;
  const { plan, epoch, fed } = member.work;
  const rank = epoch.members.findIndex(({ peer }) => peer === member.peer);
  const truth = `${plan.step}@${plan.incarnation}.${plan.epoch}${fed === "right" ? "" : ` from a ${fed}`}`;
  const name = nameOf(plan.step, truth, identity);
  const owned = epoch.map.owner.flatMap((owner, shard) => (owner === rank ? [shard] : []));
  const kept = epoch.map.owner.flatMap((owner, shard) =>
    owner === rank || epoch.map.replica[shard] === rank ? [shard] : [],
  );
  const hash = hashesOf(name)[0] ?? "";
  const pending: Copy = { step: plan.step, name, truth, shards: kept };
  const event: MemberEvent = {
    kind: "stepped",
    fence: epoch,
    vote: {
      kind: "vote",
      incarnation: plan.incarnation,
      epoch: plan.epoch,
      step: plan.step,
      parameterRoot: rootOf(name),
      parameters: owned.map((shard) => [shard, hash] as const),
      optimizer: kept.map((shard) => [shard, hash] as const),
      losses: [],
      times: { compute: 0, network: 0, waiting: 0 },
      bytesSent: { gradients: 0, parameters: 0, optimizerReplica: 0, checkpoint: 0, join: 0, control: 0 },
      paths: {},
    },
  };
  const next = dispatch(withMember(model, at, { pending, work: null }), at, event);
  return fed === "right" ? next : { ...next, violation: `${member.peer} computed step ${truth}` };
}

function failed(model: Model, at: number, epoch: EpochMessage, missing: readonly string[], lost: string[] = []): Model {
  const { incarnation, epoch: number } = epoch;
  const event: MemberEvent = {
    kind: "workFailed",
    fence: { incarnation, epoch: number },
    reason: "lost",
    unreachable: lost,
    missing,
  };
  return dispatch(withMember(model, at, { work: null }), at, event);
}

/** Members of the epoch that are asleep, or are not the ones that it was formed with. */
function goneOf(model: Model, epoch: EpochMessage): string[] {
  return model.members
    .filter(({ peer }) => epoch.members.some((member) => member.peer === peer))
    .filter(({ isAsleep, state, conn }) => isAsleep || (conn === null && state.epoch === null))
    .map(({ peer }) => peer);
}

function isAnyoneGone(model: Model, epoch: EpochMessage): boolean {
  return goneOf(model, epoch).length > 0;
}
