/** The effects of the production code, applied to the model: what drivers and runners do, without anything that waits. */
import type { ServerMessage } from "../../src/network/wire/messages.ts";
import type { Effect, Event, Limits, LogRecord } from "../../src/training/coordinator/protocol.ts";
import { initialState, replay } from "../../src/training/coordinator/state.ts";
import { transition } from "../../src/training/coordinator/transition.ts";
import { isAtFence, memberStep, type MemberEffect, type MemberEvent } from "../../src/training/recovery/member.ts";
import type { MemberModel, Model } from "./model.ts";

const LIMITS: Limits = {
  silenceMsMax: 6_000,
  formMsMax: 20_000,
  stepMsMin: 20_000,
  stepFactor: 0,
  graceMs: 8_000,
  endMsMax: 0,
  lossChanceMax: 1,
  copiesMax: 3,
  lateBackup: 2,
  lateDrop: 6,
  auditEvery: 0,
  auditSlots: 0,
};

/** Messages that change a member. */
const HEARD: readonly ServerMessage["kind"][] = ["epoch", "plan", "commit", "finish"];

export function withMember(model: Model, at: number, change: Partial<MemberModel>): Model {
  const members = model.members.map((member, index) => (index === at ? { ...member, ...change } : member));
  return { ...model, members };
}

export interface Fed {
  readonly model: Model;
  /** The same event with the coordinator killed right after each of its appends, nobody told. */
  readonly crashes: readonly Model[];
}

/** One event into the coordinator. */
export function feed(model: Model, event: Event): Fed {
  const before = model.coordinator;
  const { state, effects } = transition(before, event, model.nowMs, LIMITS);
  const crashes: Model[] = [];
  let next: Model = { ...model, coordinator: state };
  let durable = { ...initialState(), durable: before.durable };
  for (const effect of effects) {
    if (effect.kind === "append") {
      durable = replay(durable, effect.record);
      next = checkAppend(next, effect.record, durable.durable.record?.previous === before.durable.record?.chain);
      if (effect.record.kind === "commit") crashes.push(died({ ...next, coordinator: durable }));
    } else next = speak(next, effect);
  }
  return { model: next, crashes };
}

/** The coordinator is gone, and every socket with it; what is in the log stays. */
export function died(model: Model): Model {
  const coordinator = { ...initialState(), durable: model.coordinator.durable };
  const members = model.members.map((member) => hungUp(member));
  return { ...model, coordinator, members };
}

export function hungUp(member: MemberModel): MemberModel {
  return { ...member, conn: null, hasNoticed: member.conn === null ? member.hasNoticed : false, inbox: [], outbox: [] };
}

function speak(model: Model, effect: Exclude<Effect, { kind: "append" }>): Model {
  const at = model.members.findIndex(({ conn }) => conn === effect.conn);
  const member = model.members[at];
  if (!member) return model;
  if (effect.kind === "close") return withMember(model, at, hungUp(member));
  if (!HEARD.includes(effect.message.kind)) return model;
  return withMember(model, at, { inbox: [...member.inbox, effect.message] });
}

/** A commit follows the one before, and all who live and voted for it hold the same bytes. */
function checkAppend(model: Model, record: LogRecord, isFollowing: boolean): Model {
  if (record.kind === "rollback") return { ...model, truth: "g" };
  if (record.kind !== "commit" || record.record.step === 0) return model;
  const { step } = record.record;
  if (!isFollowing) return { ...model, violation: `step ${step} does not follow the commit before` };
  const voters = model.members.filter(
    ({ state, pending }) => isAtFence(state, record.record) && pending?.step === step,
  );
  const truths = [...new Set(voters.map(({ pending }) => pending?.truth ?? "nothing"))].sort();
  if (truths.length > 1) return { ...model, violation: `step ${step} is ${truths.join(" and ")} at once` };
  return { ...model, truth: truths[0] ?? `a step ${step} that nobody has` };
}

/** One event into a member. Work that it begins is done by later actions. */
export function dispatch(model: Model, at: number, event: MemberEvent): Model {
  const member = model.members[at] as MemberModel;
  const { state, effects } = memberStep(member.state, event);
  let next = withMember(model, at, { state });
  for (const effect of effects) next = carryOut(next, at, effect);
  return next;
}

function carryOut(model: Model, at: number, effect: MemberEffect): Model {
  const member = model.members[at] as MemberModel;
  switch (effect.kind) {
    case "cancel":
      return withMember(model, at, { work: null });
    case "sync":
      return withMember(model, at, { work: { kind: "sync", epoch: effect.epoch } });
    case "step": {
      const work = { kind: "step", plan: effect.plan, epoch: effect.epoch, fed: null } as const;
      return feedStep(withMember(model, at, { work, retired: [] }));
    }
    case "promote":
      return checkHeld(withMember(model, at, { committed: member.pending, pending: null, work: null }), at);
    case "send":
      return member.conn ? withMember(model, at, { outbox: [...member.outbox, effect.message] }) : model;
    case "reconnect": {
      const closed = member.conn ? feed(model, { kind: "closed", conn: member.conn }).model : model;
      return dispatch(withMember(closed, at, { ...hungUp(member), hasNoticed: true }), at, { kind: "disconnected" });
    }
    case "digest":
      return member.conn
        ? withMember(model, at, { outbox: [...member.outbox, { kind: "digest", ...effect.name, digest: "same" }] })
        : model;
    // Nobody is ever late here: no step has backups.
    case "reduce":
    case "checkpoint":
      return model;
  }
}

/** What a member made its own is what was committed. */
export function checkHeld(model: Model, at: number): Model {
  const member = model.members[at] as MemberModel;
  const isLast = member.state.committed?.chain === model.coordinator.durable.record?.chain;
  if (!isLast || member.committed === null || member.committed.truth === model.truth) return model;
  return { ...model, violation: `${member.peer} holds ${member.committed.truth} where ${model.truth} was committed` };
}

/** When the last member of an epoch has begun the step, everybody's gradients are out and reach everybody. */
function feedStep(model: Model): Model {
  const stepping = model.members.filter(({ work }) => work?.kind === "step");
  const first = stepping.at(-1)?.work;
  if (first?.kind !== "step") return model;
  for (const { work } of stepping) {
    if (work?.kind !== "step" || work.fed !== null) continue;
    const { plan, epoch } = work;
    const group = stepping.filter(
      (other) =>
        other.work?.kind === "step" &&
        other.work.plan.step === plan.step &&
        isAtFence(other.state, plan) &&
        epoch.members.some(({ peer }) => peer === other.peer),
    );
    if (group.length < epoch.members.length) continue;
    const full = new Set(epoch.members.filter(({ role }) => role === "full").map(({ peer }) => peer));
    const sending = group.filter(({ peer }) => full.has(peer));
    const bases = new Set(sending.map(({ committed }) => committed?.truth ?? "nothing"));
    const fed = bases.size === 1 ? "right" : `mixture of ${[...bases].sort().join(" and ")}`;
    const members = model.members.map((member) =>
      group.includes(member) && member.work?.kind === "step" ? { ...member, work: { ...member.work, fed } } : member,
    );
    return { ...model, members };
  }
  return model;
}
