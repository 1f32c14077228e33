/** Bugs in the coordinator, as wrappings of the real one. */
import type { ClientMessage } from "../../../src/network/wire/messages.ts";
import { Draft } from "../../../src/training/coordinator/draft.ts";
import { release } from "../../../src/training/coordinator/membership.ts";
import type { Effect, Event } from "../../../src/training/coordinator/protocol.ts";
import { retiringPeers } from "../../../src/training/coordinator/retiring.ts";
import type { State, Vote } from "../../../src/training/coordinator/state.ts";
import type { CoordinatorStep } from "./plant.ts";

/** Changes messages before the coordinator sees them. */
function hearing(
  change: (message: ClientMessage, state: State, conn: string) => ClientMessage,
): (step: CoordinatorStep) => CoordinatorStep {
  return (step) => (state, event, nowMs, limits) => {
    const heard: Event =
      event.kind === "message" ? { ...event, message: change(event.message, state, event.conn) } : event;
    return step(state, heard, nowMs, limits);
  };
}

/** A vote says what the votes before it said. */
export const believeOwners: (step: CoordinatorStep) => CoordinatorStep = hearing((message, state) => {
  if (message.kind !== "vote" || state.phase.kind !== "stepping") return message;
  const first = [...state.phase.votes.values()][0];
  if (!first) return message;
  const known = new Map([...state.phase.votes.values()].flatMap((vote) => [...vote.optimizer]));
  const optimizer = message.optimizer.map(([shard, hash]) => [shard, known.get(shard) ?? hash] as const);
  return { ...message, parameterRoot: first.parameterRoot, optimizer };
});

/** Whoever says ready holds everything. */
export const believeReady: (step: CoordinatorStep) => CoordinatorStep = hearing((message, state) => {
  const record = state.durable.record;
  if (message.kind !== "ready" || !record) return message;
  const optimizer = record.optimizer.map((hash, shard) => [shard, hash] as const);
  return { ...message, inventory: { ...message.inventory, parameterRoots: [record.parameterRoot], optimizer } };
});

/** Whoever was asked to write has written. */
export const believeStored: (step: CoordinatorStep) => CoordinatorStep = hearing((message, state, conn) => {
  if (message.kind !== "stored" || !state.checkpoint) return message;
  const peer = [...state.peers.values()].find((candidate) => candidate.conn === conn);
  const shards = state.checkpoint.asked.get(peer?.info.peer ?? "") ?? [];
  return { ...message, shards, error: null };
});

/** A farewell is taken for a sign of life. */
export const ignoreFarewells: (step: CoordinatorStep) => CoordinatorStep = hearing((message) =>
  message.kind === "leave" && message.handsOver ? { kind: "heartbeat" } : message,
);

/** Whoever wants to go may go. */
export function releaseAtOnce(step: CoordinatorStep): CoordinatorStep {
  return (state, event, nowMs, limits) => {
    const { state: next, effects } = step(state, event, nowMs, limits);
    const draft = new Draft(next, nowMs, limits);
    for (const peer of retiringPeers(next)) release(draft, peer, "going");
    return { state: draft.state, effects: [...effects, ...draft.effects] };
  };
}

/** Nobody's fingerprints are looked at. */
export const muteAudits: (step: CoordinatorStep) => CoordinatorStep = hearing((message) => {
  if (message.kind !== "vote") return message;
  const { fingerprints: _, ...vote } = message;
  return vote;
});

/** Where two devices differ, each is taken to have said what the other one did. */
export function swapClaims(step: CoordinatorStep): CoordinatorStep {
  return (state, event, nowMs, limits) => {
    const result = step(state, event, nowMs, limits);
    const { dispute } = result.state;
    const [first, second] = [...(dispute?.claims ?? [])];
    if (!dispute || dispute === state.dispute || !first || !second) return result;
    const claims = new Map(dispute.claims)
      .set(first[0], { ...first[1], fingerprint: second[1].fingerprint })
      .set(second[0], { ...second[1], fingerprint: first[1].fingerprint });
    return { ...result, state: { ...result.state, dispute: { ...dispute, claims } } };
  };
}

/** When more than half have voted, the others' votes are made up. */
export function forgeVotes(step: CoordinatorStep): CoordinatorStep {
  return (state, event, nowMs, limits) => {
    const { phase, epoch, durable } = state;
    if (phase.kind !== "stepping" || !epoch || phase.votes.size * 2 <= epoch.members.length) {
      return step(state, event, nowMs, limits);
    }
    const first = [...phase.votes.values()][0] as Vote;
    const label = `d${phase.step}`;
    const votes = new Map(phase.votes);
    epoch.members.forEach(({ peer }, rank) => {
      if (votes.has(peer)) return;
      const mine = epoch.map.owner.map((_, shard) => shard).filter((shard) => epoch.map.owner[shard] === rank);
      const kept = epoch.map.replica.flatMap((at, shard) => (at === rank || mine.includes(shard) ? [shard] : []));
      const parameters = mine.map((shard) => [shard, `p${shard}-${label}`] as const);
      const optimizer = kept.map((shard) => [shard, `o${shard}-${label}`] as const);
      votes.set(peer, { ...first, incarnation: durable.incarnation, losses: [], parameters, optimizer });
    });
    return step({ ...state, phase: { ...phase, votes } }, event, nowMs, limits);
  };
}

/** Appends come last among the effects of an event. */
export function announceFirst(step: CoordinatorStep): CoordinatorStep {
  return (state, event, nowMs, limits) => {
    const result = step(state, event, nowMs, limits);
    const isAppend = (effect: Effect): boolean => effect.kind === "append";
    const effects = [...result.effects.filter((e) => !isAppend(e)), ...result.effects.filter(isAppend)];
    return { ...result, effects };
  };
}

/** The incarnation stays what it was before a rollback. */
export function keepIncarnation(step: CoordinatorStep): CoordinatorStep {
  return (state, event, nowMs, limits) => {
    const result = step(state, event, nowMs, limits);
    const isRollback = result.effects.some((effect) => effect.kind === "append" && effect.record.kind === "rollback");
    if (!isRollback) return result;
    const { incarnation } = state.durable;
    const effects = result.effects
      .filter((effect) => effect.kind !== "append" || effect.record.kind !== "incarnation")
      .map((effect): Effect => {
        if (effect.kind !== "send" || !("incarnation" in effect.message)) return effect;
        return { ...effect, message: { ...effect.message, incarnation } };
      });
    return { state: { ...result.state, durable: { ...result.state.durable, incarnation } }, effects };
  };
}

/** Every second member hears that nobody is late. */
export function decideTwice(step: CoordinatorStep): CoordinatorStep {
  return (state, event, nowMs, limits) => {
    const result = step(state, event, nowMs, limits);
    const effects = result.effects.map((effect, at): Effect => {
      if (effect.kind !== "send" || effect.message.kind !== "reduce" || at % 2 === 0) return effect;
      return { ...effect, message: { ...effect.message, late: [] } };
    });
    return { ...result, effects };
  };
}
