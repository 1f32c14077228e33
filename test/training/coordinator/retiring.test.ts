import { expect, test } from "vitest";
import { PROTOCOL_VERSION } from "../../../src/network/wire/messages.ts";
import { HAND_OVER_MS } from "../../../src/training/coordinator/retiring.ts";
import { inventoryAt, Script } from "./script.ts";

/** Members in their first epoch, with step 1 planned. */
function training(peers: readonly string[]): Script {
  const script = new Script({ startWith: peers.length });
  for (const peer of peers) script.join(peer);
  for (const peer of peers) script.ready(peer, 0);
  return script;
}

function goes(script: Script, peer: string): void {
  script.say(peer, { kind: "leave", reason: "going", handsOver: true });
}

test("the step in flight is finished with whoever goes, the next epoch does without it, and it is released when all are ready", () => {
  const script = training(["a", "b", "c"]);
  goes(script, "c");
  expect(script.state.phase).toMatchObject({ kind: "stepping", step: 1 });
  for (const peer of ["a", "b", "c"]) script.vote(peer);
  expect(script.committedStep).toBe(1);
  expect(script.members).toEqual(["a", "b"]);
  // What it holds counts: without it no epoch could be formed while only it has a shard.
  const epoch = script.lastTo("a", "epoch");
  expect(epoch?.kind === "epoch" && epoch.optimizerSources.some((sources) => sources.includes("c"))).toBe(true);
  script.ready("a", 1);
  expect(script.lastTo("c", "released")).toBeUndefined();
  script.ready("b", 1);
  expect(script.lastTo("c", "released")).toBeDefined();
  expect(script.state.phase).toMatchObject({ kind: "stepping", step: 2 });
  expect(script.lines("abort")).toEqual([]);
  expect(script.lines("member").at(-1)).toMatchObject({ event: "leave", peer: "c", reason: "going" });
});

test("one that voted, connected again and then goes is not released while its epoch counts on it", () => {
  const script = training(["a", "b", "c"]);
  script.vote("c");
  // By another socket, of the same tab.
  const info = { peer: "c", device: "device-c", engine: "test" };
  script.say("c2", { kind: "hello", protocol: PROTOCOL_VERSION, room: "room", role: "member", info });
  goes(script, "c2");
  script.joined("c2", inventoryAt(0), undefined, true);
  expect(script.state.phase).toMatchObject({ kind: "stepping", step: 1 });
  expect(script.lastTo("c2", "released")).toBeUndefined();
  for (const peer of ["a", "b"]) script.vote(peer);
  expect(script.members).toEqual(["a", "b"]);
  expect(script.lastTo("c2", "released")).toBeUndefined();
  for (const peer of ["a", "b"]) script.ready(peer, script.committedStep);
  expect(script.lastTo("c2", "released")).toBeDefined();
});

test("whoever goes while an epoch forms is left out of it, and still gives what it holds", () => {
  const script = training(["a", "b", "c"]);
  script.feed({ kind: "closed", conn: "conn-a" });
  expect(script.state.phase.kind).toBe("forming");
  goes(script, "c");
  expect(script.members).toEqual(["b"]);
  const epoch = script.lastTo("b", "epoch");
  expect(epoch?.kind === "epoch" && epoch.parameterSources[0]).toEqual(["b", "c"]);
  script.ready("b", 0);
  expect(script.lastTo("c", "released")).toBeDefined();
});

test("whoever goes and vanishes before its vote is lost like anybody else", () => {
  const script = training(["a", "b", "c"]);
  goes(script, "c");
  script.feed({ kind: "closed", conn: "conn-c" });
  expect(script.lines("abort")).toHaveLength(1);
  expect(script.lines("member").at(-1)).toMatchObject({ event: "lost", peer: "c" });
  expect(script.members).toEqual(["a", "b"]);
});

test("nobody waits longer than the hand-over's deadline, counted from the end of the step", () => {
  const script = training(["a", "b"]);
  goes(script, "b");
  script.pass(HAND_OVER_MS + 1_000, ["a", "b"]);
  expect(script.lastTo("b", "released")).toBeUndefined();
  for (const peer of ["a", "b"]) script.vote(peer);
  script.pass(HAND_OVER_MS - 500, ["a", "b"]); // "a" does not get ready.
  expect(script.lastTo("b", "released")).toBeUndefined();
  script.pass(500, ["a", "b"]);
  expect(script.lastTo("b", "released")).toBeDefined();
});

test("when all go, the step in flight is their last one, with a checkpoint, and nobody waits once it is stored", () => {
  const script = training(["a", "b"]);
  for (const peer of ["a", "b"]) goes(script, peer);
  for (const peer of ["a", "b"]) script.vote(peer);
  const commit = script.lastTo("a", "commit");
  if (commit?.kind !== "commit" || !commit.checkpoint) throw new Error("no checkpoint was ordered");
  const { writers } = commit.checkpoint;
  for (const [rank, peer] of ["a", "b"].entries()) {
    expect(script.lastTo(peer, "released")).toBeUndefined();
    const shards = writers.flatMap((ranks, unit) => (ranks.includes(rank) ? [unit] : []));
    script.say(peer, { kind: "digest", step: 1, chain: commit.chain, digest: "0".repeat(64) });
    script.say(peer, { kind: "stored", step: 1, chain: commit.chain, shards, error: null, ms: 1 });
  }
  for (const peer of ["a", "b"]) expect(script.lastTo(peer, "released")).toBeDefined();
  expect(script.state.durable.generations.at(-1)?.record.step).toBe(1);
});

test("when all go between steps they are released at once", () => {
  const script = new Script({ startWith: 1 });
  script.join("a");
  goes(script, "a");
  expect(script.lastTo("a", "released")).toBeDefined();
});

test("after a restart of the coordinator whoever goes says so before it joins, and is in no epoch", () => {
  const before = training(["a", "b"]);
  for (const peer of ["a", "b"]) before.vote(peer);
  const script = before.restarted();
  script.join("a", inventoryAt(1));
  const info = { peer: "b", device: "device-b", engine: "test" };
  script.say("b", { kind: "hello", protocol: PROTOCOL_VERSION, room: "room", role: "member", info });
  goes(script, "b");
  expect(script.lastTo("b", "released")).toBeUndefined();
  script.joined("b", inventoryAt(1), undefined, true);
  expect(script.members).toEqual(["a"]);
  script.ready("a", 1);
  expect(script.lastTo("b", "released")).toBeDefined();
});

test("whoever joins again while it hands over stays", () => {
  const script = training(["a", "b"]);
  goes(script, "b");
  script.joined("b", inventoryAt(0));
  for (const peer of ["a", "b"]) script.vote(peer);
  expect(script.members).toEqual(["a", "b"]);
  expect(script.state.phase).toMatchObject({ kind: "stepping", step: 2 });
});

test("a member that is out already is told at once that it may go", () => {
  const script = training(["a", "b"]);
  script.say("b", { kind: "leave", reason: "paused" });
  goes(script, "b");
  expect(script.lastTo("b", "released")).toBeDefined();
});

test("one that goes, and says twice that it is prepared, is not counted on; one that stays after all is", () => {
  const script = training(["a", "b", "c"]);
  const info = { peer: "d", device: "device-d", engine: "test" };
  script.say("d", { kind: "hello", protocol: PROTOCOL_VERSION, room: "room", role: "member", info });
  for (let twice = 0; twice < 2; twice++) {
    goes(script, "d");
    script.joined("d", inventoryAt(0), undefined, true);
  }
  for (const peer of ["a", "b", "c"]) script.vote(peer);
  expect(script.members).toEqual(["a", "b", "c"]);
  script.joined("d", inventoryAt(0));
  for (const peer of ["a", "b", "c"]) script.vote(peer);
  expect(script.members).toEqual(["a", "b", "c", "d"]);
});
