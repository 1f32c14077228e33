/** A state of the model as a number: equal states have equal keys, times count only for what they still decide. */
import type { ClientMessage, ServerMessage } from "../../src/network/wire/messages.ts";
import type { State } from "../../src/training/coordinator/state.ts";
import type { Copy, MemberModel, Model } from "./model.ts";

/** Of 53 bits: two of 10^6 states are mistaken for one with a chance below 10^-4. */
export function keyOf(model: Model): number {
  const text = [
    coordinatorText(model.coordinator, model.nowMs),
    ...model.members.map(memberText),
    Object.values(model.budget).join(),
    model.truth,
  ].join("|");
  return hash53(text);
}

function hash53(text: string): number {
  let [a, b] = [0xdeadbeef, 0x41c6ce57];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    a = Math.imul(a ^ code, 2_654_435_761);
    b = Math.imul(b ^ code, 1_597_334_677);
  }
  a = Math.imul(a ^ (a >>> 16), 2_246_822_507) ^ Math.imul(b ^ (b >>> 13), 3_266_489_909);
  b = Math.imul(b ^ (b >>> 16), 2_246_822_507) ^ Math.imul(a ^ (a >>> 13), 3_266_489_909);
  return 4_294_967_296 * (2_097_151 & b) + (a >>> 0);
}

/** Objects that many states share, by a number each. */
const numbers = new WeakMap<object, string>();
const texts = new Map<string, string>();

function numbered(value: object, text: () => string): string {
  let found = numbers.get(value);
  if (found === undefined) {
    const key = text();
    found = texts.get(key) ?? String(texts.size);
    texts.set(key, found);
    numbers.set(value, found);
  }
  return found;
}

function coordinatorText(state: State, nowMs: number): string {
  const { durable, phase, epoch } = state;
  const peers = [...state.peers.values()].map((peer) => {
    const held = peer.heldUntilMs > nowMs ? "h" : "";
    const inventory = numbered(peer.inventory, () => JSON.stringify(peer.inventory));
    return `${peer.info.peer}${peer.conn}${peer.status[0]}${held}${inventory}`;
  });
  const members = epoch ? `${epoch.conns.join()};${epoch.members.map(({ role }) => role[0]).join("")}` : "";
  const map = epoch ? numbered(epoch.map, () => JSON.stringify(epoch.map)) : "";
  return [
    durable.incarnation,
    durable.epoch,
    durable.record ? numbered(durable.record, () => JSON.stringify(durable.record)) : "",
    durable.endDigests ? "e" : "",
    durable.lastMembers.map(({ peer }) => peer).join(),
    phaseText(phase, nowMs),
    peers.join(),
    members,
    map,
    epoch?.slots ? "s" : "",
    [...state.brokenPairs].join(";"),
    state.relayedPairs.join(";"),
    state.badHashes.size,
    Math.min(5, state.failures),
    state.uncoveredSinceMs === null ? "" : "u",
    state.hasFormed ? "f" : "",
    state.checkpoint
      ? `${[...state.checkpoint.stored.keys()].join()}/${[...state.checkpoint.digests.keys()].join()}`
      : "",
    [...state.lastDigests.keys()].join(),
  ].join("/");
}

function phaseText(phase: State["phase"], nowMs: number): string {
  switch (phase.kind) {
    case "idle":
      return `i${phase.notBeforeMs > nowMs ? "w" : ""}`;
    case "forming":
      return `f${[...phase.ready].sort().join()}`;
    case "stepping":
      return `s${phase.step}${[...phase.votes]
        .map(([peer, vote]) => peer + vote.parameterRoot.slice(0, 12))
        .sort()
        .join()};${[...phase.failed.keys()].sort().join()}`;
    default:
      return phase.kind;
  }
}

function memberText(member: MemberModel): string {
  const { state, work } = member;
  const doing = work === null ? "" : work.kind === "sync" ? "y" : `t${work.plan.step}${work.fed ?? "-"}`;
  return [
    member.peer,
    member.isAsleep ? "z" : "",
    member.conn ?? "",
    member.hasNoticed ? "" : "!",
    state.epoch ? `${state.epoch.incarnation}.${state.epoch.epoch}` : "",
    state.activity,
    state.committed ? state.committed.chain.slice(0, 16) : "",
    state.pending ? `${state.pending.fence.epoch}.${state.pending.step}` : "",
    doing,
    copyText(member.committed),
    copyText(member.pending),
    member.retired.map(copyText).join(),
    member.inbox.map(messageText).join(),
    member.outbox.map(messageText).join(),
  ].join("/");
}

function copyText(copy: Copy | null): string {
  return copy ? numbered(copy, () => `${copy.name}:${copy.truth}:${copy.shards.join()}`) : "";
}

function messageText(message: ClientMessage | ServerMessage): string {
  const fence = "epoch" in message ? `${message.incarnation}.${message.epoch}` : "";
  const step = "step" in message ? message.step : "";
  return `${message.kind[0]}${message.kind[1]}${fence}.${step}`;
}
