import { expect, test } from "vitest";
import type { MemorySummary } from "../../../src/network/wire/memory-summary.ts";
import { PROTOCOL_VERSION, type ServerMessage } from "../../../src/network/wire/messages.ts";
import { summarizeMemory } from "../../../src/training/summarize-memory.ts";
import { fakeSnapshot } from "../../app/support/memories.ts";
import { Script } from "./script.ts";

const memoryOf = (seed: number): MemorySummary => summarizeMemory(fakeSnapshot([32], seed));

/** What `peer` was told about memories, in order: which peers. */
function told(script: Script, peer: string): string[] {
  const messages = script.sent.filter(({ conn }) => conn === `conn-${peer}`).map(({ message }) => message);
  return messages
    .filter((message): message is Extract<ServerMessage, { kind: "memories" }> => message.kind === "memories")
    .map(({ members }) => members.map((member) => member.peer).join(" "));
}

function room(...peers: string[]): Script {
  const script = new Script({ startWith: peers.length });
  for (const peer of peers) script.join(peer);
  return script;
}

test("what a member says of its memory reaches everybody, watchers too", () => {
  const script = room("a", "b");
  const info = { peer: "w", device: "d", engine: "observer" };
  script.say("w", { kind: "hello", protocol: PROTOCOL_VERSION, room: "room", role: "observer", info });
  script.say("a", { kind: "memory", memory: memoryOf(1) });
  for (const peer of ["a", "b", "w"]) {
    expect(script.lastTo(peer, "memories")).toEqual({
      kind: "memories",
      members: [{ peer: "a", memory: memoryOf(1) }],
    });
  }
});

test("everybody is told once in two seconds, of the newest, and only what is new", () => {
  const script = room("a", "b", "c");
  script.say("a", { kind: "memory", memory: memoryOf(1) });
  script.say("b", { kind: "memory", memory: memoryOf(2) });
  for (let seed = 3; seed <= 50; seed++) script.say("a", { kind: "memory", memory: memoryOf(seed) });
  script.pass(1_750, ["a", "b", "c"]);
  expect(told(script, "c")).toEqual(["a"]);
  script.pass(250, ["a", "b", "c"]);
  expect(told(script, "c")).toEqual(["a", "b a"]);
  expect(script.lastTo("c", "memories")).toMatchObject({ members: [{}, { memory: memoryOf(50) }] });
  script.pass(10_000, ["a", "b", "c"]);
  expect(told(script, "c")).toHaveLength(2);
});

test("in a large room members take turns, sixteen at a time", () => {
  const peers = Array.from({ length: 20 }, (_, at) => `p${at}`);
  const script = room(...peers);
  script.say("p0", { kind: "memory", memory: memoryOf(0) });
  peers.slice(1).forEach((peer, at) => script.say(peer, { kind: "memory", memory: memoryOf(at) }));
  script.pass(2_000, peers);
  script.say("p1", { kind: "memory", memory: memoryOf(99) }); // It was told of: behind those that still wait.
  script.pass(2_000, peers);
  expect(told(script, "p0")).toEqual(["p0", peers.slice(1, 17).join(" "), "p17 p18 p19 p1"]);
});

test("a newcomer hears at once of those that are here, and nobody hears of those that went", () => {
  const script = room("a", "b");
  script.say("a", { kind: "memory", memory: memoryOf(1) });
  script.say("b", { kind: "memory", memory: memoryOf(2) });
  script.feed({ kind: "closed", conn: "conn-b" });
  script.join("c");
  script.pass(4_000, ["a", "c"]);
  expect(told(script, "c")).toEqual(["a"]);
});

test("memory is in no log, and everything else is as if a heartbeat had come in its place", () => {
  const play = (said: "memory" | "heartbeat"): Script => {
    const script = room("a", "b");
    for (const peer of ["a", "b"]) script.ready(peer, 0);
    for (let step = 1; step <= 12; step++) {
      script.pass(500, ["a", "b"]);
      for (const peer of ["a", "b"]) {
        script.say(peer, said === "memory" ? { kind: said, memory: memoryOf(step) } : { kind: said });
        script.vote(peer);
      }
    }
    return script;
  };
  const [told, untold] = [play("memory"), play("heartbeat")];
  expect(told.log).toEqual(untold.log);
  expect(told.sent.filter(({ message }) => message.kind !== "memories")).toEqual(untold.sent);
  expect(told.committedStep).toBe(12);
});
