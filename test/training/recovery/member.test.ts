import { expect, test } from "vitest";
import type { CommitRecord } from "../../../src/network/wire/state-record.ts";
import type { ServerMessage } from "../../../src/network/wire/messages.ts";
import {
  INITIAL_MEMBER,
  memberStep,
  type MemberEvent,
  type MemberState,
  type VoteMessage,
} from "../../../src/training/recovery/member.ts";
import { NO_BYTES } from "../coordinator/script.ts";

const record: CommitRecord = {
  incarnation: 1,
  epoch: 0,
  step: 4,
  chain: "chain4",
  previous: "chain3",
  parameterRoot: "root4",
  parameters: [],
  optimizer: [],
  stateHash: "state4",
};

function epoch(number: number, incarnation = 1): ServerMessage {
  const members = [{ peer: "a", device: "d", engine: "e", role: "full" as const }];
  const map = { owner: [], replica: [] };
  return {
    kind: "epoch",
    incarnation,
    epoch: number,
    members,
    map,
    record,
    optimizerSources: [],
    parameterSources: [],
    stripes: [],
    deadlineMs: 1,
  };
}

const server = (message: ServerMessage): MemberEvent => ({ kind: "server", message });
const synced = (number: number): MemberEvent => ({
  kind: "synced",
  fence: { incarnation: 1, epoch: number },
  inventory: { parameterRoots: ["root4"], optimizer: [], stored: [] },
});
const plan = (number: number, step: number): MemberEvent =>
  server({ kind: "plan", incarnation: 1, epoch: number, step, slots: [[0]], deadlineMs: 1 });
const vote: VoteMessage = {
  kind: "vote",
  incarnation: 1,
  epoch: 1,
  step: 5,
  parameterRoot: "root5",
  parameters: [],
  optimizer: [],
  losses: [],
  times: { compute: 1, network: 1, waiting: 1 },
  bytesSent: NO_BYTES,
  paths: {},
};
const stepped: MemberEvent = { kind: "stepped", fence: { incarnation: 1, epoch: 1 }, vote };
const commit = (root: string, number = 1): MemberEvent =>
  server({
    kind: "commit",
    incarnation: 1,
    epoch: number,
    step: 5,
    chain: "chain5",
    parameterRoot: root,
    loss: 1,
    checkpoint: null,
  });

function play(events: readonly MemberEvent[]): { state: MemberState; effects: string[] } {
  let state = INITIAL_MEMBER;
  let effects: string[] = [];
  for (const event of events) {
    const step = memberStep(state, event);
    state = step.state;
    effects = step.effects.map((effect) => (effect.kind === "send" ? `send ${effect.message.kind}` : effect.kind));
  }
  return { state, effects };
}

const voted = [server(epoch(1)), synced(1), plan(1, 5), stepped];

test("a member syncs, says ready, computes, votes, and promotes on COMMIT", () => {
  expect(play([server(epoch(1))]).effects).toEqual(["sync"]);
  expect(play([server(epoch(1)), synced(1)]).effects).toEqual(["send ready"]);
  expect(play([server(epoch(1)), synced(1), plan(1, 5)]).effects).toEqual(["step"]);
  expect(play(voted).effects).toEqual(["send vote"]);
  const { state, effects } = play([...voted, commit("root5")]);
  expect(effects).toEqual(["promote"]);
  expect(state.committed).toEqual({ step: 5, chain: "chain5", parameterRoot: "root5" });
});

test("a lost connection keeps the pending result: only the log decides", () => {
  const { state, effects } = play([...voted, { kind: "disconnected" }]);
  expect(effects).toEqual(["cancel"]);
  expect(state.pending).toMatchObject({ step: 5, parameterRoot: "root5" });
  expect(state.committed).toMatchObject({ step: 4 });
});

test("a COMMIT of other parameters, or without a vote, is never applied", () => {
  expect(play([...voted, commit("other")]).effects).toEqual(["reconnect"]);
  expect(play([...voted.slice(0, 3), commit("root5")]).effects).toEqual(["reconnect"]);
});

test("messages and results of another epoch change nothing", () => {
  const before = play(voted).state;
  for (const event of [commit("root5", 2), plan(2, 6), synced(2), server(epoch(0)), server(epoch(9, 0))]) {
    expect(memberStep(before, event)).toEqual({ state: before, effects: [] });
  }
});

test("a newer epoch cancels what is under way, and its late result is nobody's", () => {
  const events = [server(epoch(1)), synced(1), plan(1, 5), server(epoch(2))];
  expect(play(events).effects).toEqual(["cancel", "sync"]);
  const { state, effects } = play([...events, stepped]);
  expect(effects).toEqual([]);
  expect(state.pending).toBeNull();
});

test("a step that does not follow the committed one is refused", () => {
  expect(play([server(epoch(1)), synced(1), plan(1, 7)]).effects).toEqual(["reconnect"]);
});

test("work that fails is told to the coordinator once", () => {
  const failed: MemberEvent = {
    kind: "workFailed",
    fence: { incarnation: 1, epoch: 1 },
    reason: "r",
    unreachable: ["b"],
    missing: [],
  };
  const events = [server(epoch(1)), synced(1), plan(1, 5), failed];
  expect(play(events).effects).toEqual(["send failed"]);
  expect(play([...events, failed]).effects).toEqual([]);
});

test("in a step with backups it tells what is computed, and passes on the decision about the step under way", () => {
  const reduce = (number: number, step: number): MemberEvent =>
    server({ kind: "reduce", incarnation: 1, epoch: number, step, late: [0] });
  const computed: MemberEvent = { kind: "computed", fence: { incarnation: 1, epoch: 1 }, step: 5, rank: 0 };
  const begun = [server(epoch(1)), synced(1)];
  expect(play([...begun, computed]).effects).toEqual([]);
  expect(play([...begun, reduce(1, 5)]).effects).toEqual([]);
  const stepping = [...begun, plan(1, 5)];
  expect(play([...stepping, computed]).effects).toEqual(["send computed"]);
  expect(play([...stepping, reduce(1, 5)]).effects).toEqual(["reduce"]);
  for (const event of [reduce(1, 6), reduce(2, 5)]) expect(play([...stepping, event]).effects).toEqual([]);
  expect(play([...voted, reduce(1, 5)]).effects).toEqual([]);
  expect(play([...stepping, server(epoch(2)), computed]).effects).toEqual([]);
});
