import { expect, test } from "vitest";
import { decide } from "../../../src/training/coordinator/decisions.ts";
import { Draft } from "../../../src/training/coordinator/draft.ts";
import { DEFAULT_LIMITS } from "../../../src/training/coordinator/protocol.ts";
import { initialState, type State } from "../../../src/training/coordinator/state.ts";
import { Script } from "./script.ts";

function texts(script: Script, about: string): string[] {
  return script.lines("decision").flatMap((line) => (line.about === about ? [line.text] : []));
}

function training(peers: readonly string[]): Script {
  const script = new Script({ startWith: peers.length });
  for (const peer of peers) script.join(peer);
  for (const peer of peers) script.ready(peer, 0);
  return script;
}

test("an epoch's reason names who came, who went and how, and who became complete", () => {
  const script = training(["a", "b", "c"]);
  script.say("c", { kind: "leave", reason: "going", handsOver: true });
  script.join("d");
  for (const peer of ["a", "b", "c"]) script.vote(peer);
  for (const peer of ["a", "b"]) script.ready(peer, 1);
  script.ready("d", 1, { parameterRoots: [], optimizer: [], stored: [] });
  for (const peer of ["a", "b", "d"]) script.vote(peer);
  script.feed({ kind: "closed", conn: "conn-a" });
  expect(texts(script, "epoch")).toEqual([
    "Epoch 1 with 3 members: the run begins.",
    "Epoch 2 with 3 members: d came; c hands over.",
    "Epoch 3 with 3 members: d has all parameters now.",
    "Epoch 4 with 2 members: a was lost.",
  ]);
  expect(texts(script, "member")).toEqual(["c may go: nobody needs anything of it any more."]);
});

test("how slots are shared is told when it changes, and only then", () => {
  const script = training(["a", "b"]);
  expect(texts(script, "slots")).toEqual(["Slots by measured speed: a 4 (1.0 a second), b 4 (1.0 a second)."]);
  for (let step = 1; step <= 3; step++) for (const peer of ["a", "b"]) script.vote(peer);
  expect(texts(script, "slots")).toHaveLength(1);
});

test("a checkpoint's scheme is told with its reason once", () => {
  const script = training(["a", "b"]);
  for (let step = 1; step <= 10; step++) for (const peer of ["a", "b"]) script.vote(peer);
  expect(texts(script, "checkpoint")).toEqual([expect.stringContaining("2 copies")]);
});

test("where all flaps, no more than twenty decisions are told in ten seconds, and none twice in a row", () => {
  const told = (state: State, nowMs: number, from: number): Draft => {
    const draft = new Draft(state, nowMs, DEFAULT_LIMITS);
    for (let at = from; at < from + 40; at++)
      for (let time = 0; time < 2; time++) decide(draft, "member", `sentence ${at}`);
    return draft;
  };
  const first = told({ ...initialState(), observers: new Set(["observer"]) }, 1_000, 0);
  expect(first.effects).toHaveLength(20);
  expect(told(first.state, 10_999, 100).effects).toEqual([]);
  expect(told(first.state, 11_000, 100).effects).toHaveLength(20);
});
