import { expect, test } from "vitest";
import { peerName } from "../../../src/host/browser/elements/peer-name.ts";
import { initialView, phase, viewAfter } from "../../../src/host/browser/room-model.ts";
import type { ServerMessage } from "../../../src/network/wire/messages.ts";
import { summarizeMemory } from "../../../src/training/summarize-memory.ts";
import { fakeSnapshot } from "../../app/support/memories.ts";

const plan: ServerMessage = { kind: "plan", incarnation: 1, epoch: 1, step: 8, slots: [[0]], deadlineMs: 1_000 };
const waiting: ServerMessage = { kind: "waiting", reason: "Nobody is here to train.", devices: [] };
const joined: ServerMessage = { kind: "event", line: { type: "member", event: "join", peer: "tab-7", step: 8 } };
const finish: ServerMessage = { kind: "finish", step: 9, chain: "ab" };
const refused: ServerMessage = { kind: "refused", code: "unknown-room", reason: "There is no such room." };

test("a paused tab stays paused while the others train on, and still hears of them", () => {
  let view = phase(initialView("tab-1"), "paused", "Paused.");
  for (const message of [plan, waiting, joined]) view = viewAfter(view, message, true);
  expect([view.phase, view.note]).toEqual(["paused", "Paused."]);
  expect(view.log).toEqual([`Step 8: ${peerName("tab-7")} joined.`]);
});

test("the end of the run and a refusal reach a paused tab", () => {
  const paused = phase(initialView("tab-1"), "paused", "Paused.");
  expect(viewAfter(paused, finish, true).phase).toBe("finished");
  const view = viewAfter(paused, refused, true);
  expect([view.phase, view.problem]).toEqual(["stopped", "There is no such room."]);
});

test("memories are those of the members that are here, the newest of each", () => {
  const [older, newer] = [1, 2].map((seed) => summarizeMemory(fakeSnapshot([16], seed)));
  const said = (peer: string, memory = older): ServerMessage => ({
    kind: "memories",
    members: memory ? [{ peer, memory }] : [],
  });
  const member = { peer: "tab-2", device: "d", engine: "e", state: "training", slots: 1, slotsPerSecond: 1 } as const;
  let view = initialView("tab-1");
  for (const message of [said("tab-2"), said("tab-3"), said("tab-2", newer)]) view = viewAfter(view, message, true);
  expect(view.memories).toEqual({ "tab-2": newer, "tab-3": older });
  view = viewAfter(view, { kind: "roster", members: [member] }, true);
  expect(view.memories).toEqual({ "tab-2": newer });
});

test("a tab that is not paused follows the coordinator", () => {
  const view = viewAfter(initialView("tab-1"), plan, true);
  expect([view.phase, view.note]).toEqual(["training", "Training step 8."]);
  expect(viewAfter(view, waiting, true).phase).toBe("waiting");
});
