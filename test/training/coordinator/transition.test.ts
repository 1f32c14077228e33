import { expect, test } from "vitest";
import { PROTOCOL_VERSION } from "../../../src/network/wire/messages.ts";
import type { Inventory } from "../../../src/network/wire/state-record.ts";
import { GENESIS, optimizerName } from "../../../tools/simulation/versions.ts";
import { EMPTY, inventoryAt, Script } from "./script.ts";

/** Four members in their first epoch, with step 1 planned. */
function four(): Script {
  const script = new Script({ startWith: 4 });
  for (const peer of ["a", "b", "c", "d"]) script.join(peer);
  for (const peer of ["a", "b", "c", "d"]) script.ready(peer, 0);
  return script;
}

function commitBy(script: Script, peers: readonly string[]): void {
  for (const peer of peers) script.vote(peer);
}

test("the first epoch waits for as many members as the room asked for", () => {
  const script = new Script({ startWith: 2 });
  script.join("a");
  expect(script.state.phase.kind).toBe("idle");
  script.join("b");
  expect(script.state.phase.kind).toBe("forming");
  expect(script.members).toEqual(["a", "b"]);
});

test("a step is planned only when every member is ready, and committed only when every living member voted", () => {
  const script = new Script({ startWith: 2 });
  script.join("a");
  script.join("b");
  script.ready("a", 0);
  expect(script.state.phase.kind).toBe("forming");
  script.ready("b", 0);
  expect(script.state.phase.kind).toBe("stepping");
  script.vote("a");
  expect(script.committedStep).toBe(0);
  script.vote("b");
  expect(script.committedStep).toBe(1);
  expect(script.lastTo("a", "commit")).toMatchObject({ step: 1 });
});

test("a COMMIT is in the log before anybody hears of it", () => {
  const script = four();
  for (const peer of ["a", "b", "c"]) script.vote(peer);
  const effects = script.vote("d");
  const append = effects.findIndex((effect) => effect.kind === "append" && effect.record.kind === "commit");
  const commit = effects.findIndex((effect) => effect.kind === "send" && effect.message.kind === "commit");
  expect(append).toBeGreaterThanOrEqual(0);
  expect(commit).toBeGreaterThan(append);
});

test("an owner that dies after its vote costs nothing: its replicas hold its state and the step commits", () => {
  const script = four();
  script.vote("a");
  script.feed({ kind: "closed", conn: "conn-a" });
  expect(script.committedStep).toBe(0);
  commitBy(script, ["b", "c", "d"]);
  expect(script.committedStep).toBe(1);
  expect(script.members).toEqual(["b", "c", "d"]);
  expect(script.state.phase.kind).toBe("forming");
});

test("an owner that dies before its vote aborts the step, and the same step is planned again without it", () => {
  const script = four();
  commitBy(script, ["b", "c", "d"]);
  script.feed({ kind: "closed", conn: "conn-a" });
  expect(script.committedStep).toBe(0);
  expect(script.lines("abort")).toHaveLength(1);
  for (const peer of ["b", "c", "d"]) script.ready(peer, 0);
  expect(script.state.phase).toMatchObject({ kind: "stepping", step: 1 });
});

test("a server that dies between the votes and COMMIT aborts what is not in its log, under a higher incarnation", () => {
  const script = four();
  for (const peer of ["a", "b", "c"]) script.vote(peer);
  const next = script.restarted();
  expect(next.committedStep).toBe(0);
  expect(next.state.durable.incarnation).toBe(script.state.durable.incarnation + 1);
  // Members come back with the committed state and the pending one; the log's is gone on from.
  const both = {
    ...inventoryAt(0),
    parameterRoots: [...inventoryAt(0).parameterRoots, ...inventoryAt(1).parameterRoots],
  };
  for (const peer of ["a", "b", "c", "d"]) next.join(peer, both);
  expect(next.lastTo("a", "epoch")).toMatchObject({ record: { step: 0 } });
});

test("a server that dies between COMMIT and its announcement goes on from the committed step", () => {
  const script = four();
  commitBy(script, ["a", "b", "c", "d"]); // The announcement went nowhere: the new process knows only the log.
  const next = script.restarted();
  expect(next.committedStep).toBe(1);
  for (const peer of ["a", "b", "c", "d"]) {
    const pending = inventoryAt(1);
    next.join(peer, { ...pending, parameterRoots: [...inventoryAt(0).parameterRoots, ...pending.parameterRoots] });
  }
  expect(next.lastTo("a", "epoch")).toMatchObject({ record: { step: 1 }, members: [{ role: "full" }, {}, {}, {}] });
});

test("a frozen member is lost after its silence, and two epochs later it is a listener like any newcomer", () => {
  const script = four();
  script.pass(7_000, ["b", "c", "d"]);
  expect(script.lines("member").filter((line) => line.event === "lost")).toHaveLength(1);
  expect(script.members).toEqual(["b", "c", "d"]);
  for (const peer of ["b", "c", "d"]) script.ready(peer, 0);
  commitBy(script, ["b", "c", "d"]);
  script.join("e");
  commitBy(script, ["b", "c", "d"]); // Step 2, then the boundary takes the newcomer in.
  expect(script.members).toEqual(["b", "c", "d", "e"]);
  for (const peer of ["b", "c", "d"]) script.ready(peer, 2);
  script.ready("e", 2, { parameterRoots: [], optimizer: [], stored: [] });
  script.join("a", inventoryAt(0)); // Awake, two epochs later.
  commitBy(script, ["b", "c", "d", "e"]);
  const epoch = script.lastTo("a", "epoch");
  expect(epoch).toMatchObject({ record: { step: 3 } });
  const roles = epoch?.kind === "epoch" ? Object.fromEntries(epoch.members.map(({ peer, role }) => [peer, role])) : {};
  expect(roles).toEqual({ b: "full", c: "full", d: "full", e: "full", a: "listener" });
});

test("what a frozen member says about an epoch that is over changes nothing", () => {
  const script = four();
  const { incarnation, epoch } = script.state.durable;
  script.pass(7_000, ["b", "c", "d"]);
  script.join("a", inventoryAt(0));
  const before = script.state.phase;
  script.vote("a", { incarnation, epoch });
  expect(script.state.phase).toEqual(before);
});

test("a vote of another incarnation is not counted even when its epoch number is the same", () => {
  const script = four();
  commitBy(script, ["a", "b", "c"]);
  script.vote("d", { incarnation: script.state.durable.incarnation + 1 });
  expect(script.committedStep).toBe(0);
});

test("a joiner that meets an epoch change waits for the next boundary", () => {
  const script = four();
  script.feed({ kind: "closed", conn: "conn-d" });
  expect(script.state.phase.kind).toBe("forming");
  script.join("e");
  expect(script.members).toEqual(["a", "b", "c"]);
  for (const peer of ["a", "b", "c"]) script.ready(peer, 0);
  // Nothing was planned for three: the newcomer came before the boundary.
  expect(script.members).toEqual(["a", "b", "c", "e"]);
});

test("a listener gets neither slots nor shards, and both one step later", () => {
  const script = four();
  commitBy(script, ["a", "b", "c", "d"]);
  script.join("e");
  commitBy(script, ["a", "b", "c", "d"]);
  for (const peer of ["a", "b", "c", "d"]) script.ready(peer, 2);
  script.ready("e", 2, { parameterRoots: [], optimizer: [], stored: [] });
  const plan = script.lastTo("e", "plan");
  expect(plan).toMatchObject({ step: 3 });
  expect(plan?.kind === "plan" ? plan.slots[4] : null).toEqual([]);
  expect(script.state.epoch?.map.owner).not.toContain(4);
  commitBy(script, ["a", "b", "c", "d", "e"]);
  expect(script.state.epoch?.map.owner.filter((rank) => rank === 4)).toHaveLength(24);
});

test("different parameters, or a replica that differs from its owner, never commit", () => {
  const parameters = four();
  for (const peer of ["a", "b", "c"]) parameters.vote(peer);
  parameters.vote("d", { label: "d1x", optimizerLabel: "d1" });
  expect(parameters.committedStep).toBe(0);
  const replicas = four();
  for (const peer of ["a", "b", "c"]) replicas.vote(peer);
  replicas.vote("d", { optimizerLabel: "d1x" });
  expect(replicas.committedStep).toBe(0);
  expect(replicas.lines("abort")[0]?.reason).toMatch(/different bytes/);
});

test("an unknown room and another protocol version are refused with one sentence", () => {
  const script = new Script();
  const info = { peer: "x", device: "dx", engine: "test" };
  script.say("x", { kind: "hello", protocol: PROTOCOL_VERSION, room: "nowhere", role: "member", info });
  expect(script.lastTo("x", "refused")).toMatchObject({ code: "unknown-room" });
  script.say("y", { kind: "hello", protocol: 99, room: "room", role: "member", info });
  expect(script.lastTo("y", "refused")).toMatchObject({
    code: "protocol-version",
    reason: expect.stringContaining("99"),
  });
});

test("with every member gone the run goes back to the newest whole checkpoint, and says so", () => {
  const script = four();
  for (let step = 1; step <= 7; step++) {
    commitBy(script, ["a", "b", "c", "d"]);
    if (step !== 5) continue;
    const chain = script.state.durable.record?.chain ?? "";
    const shards = Array.from({ length: 120 }, (_, shard) => shard);
    for (const peer of ["a", "b", "c", "d"]) {
      script.say(peer, { kind: "stored", step, chain, shards, error: null, ms: 1 });
      script.say(peer, { kind: "digest", step, chain, digest: "same" });
    }
  }
  expect(script.lines("checkpoint")).toMatchObject([{ step: 5, generation: 1, copies: 4 }]);
  const next = script.restarted();
  const stored = [
    {
      step: 5,
      chain: next.state.durable.generations[0]?.record.chain ?? "",
      shards: Array.from({ length: 120 }, (_, s) => s),
    },
  ];
  next.join("e", { parameterRoots: [], optimizer: [], stored }, "device-a");
  next.pass(20_000, ["e"]);
  expect(next.lines("rollback")).toEqual([{ type: "rollback", to: 5 }]);
  expect(next.committedStep).toBe(5);
  expect(next.members).toEqual(["e"]);
});

test("nothing is rolled back past a checkpoint whose only holder is set aside: it is let back in", () => {
  const shards = Array.from({ length: 120 }, (_, shard) => shard);
  const script = new Script({ startWith: 2 });
  const store = (peers: readonly string[]): { step: number; chain: string; shards: number[] } => {
    const { step, chain } = script.state.durable.record ?? { step: 0, chain: "" };
    for (const peer of peers) {
      script.say(peer, { kind: "stored", step, chain, shards, error: null, ms: 1 });
      script.say(peer, { kind: "digest", step, chain, digest: "same" });
    }
    return { step, chain, shards };
  };
  for (const peer of ["a", "b"]) script.join(peer);
  for (const peer of ["a", "b"]) script.ready(peer, 0);
  for (let step = 1; step <= 5; step++) commitBy(script, ["a", "b"]);
  const first = store(["a", "b"]);
  script.feed({ kind: "closed", conn: "conn-b" });
  script.ready("a", 5);
  for (let step = 6; step <= 10; step++) script.vote("a");
  const second = store(["a"]);
  script.vote("a"); // Step 11 dies with its memory.
  expect(script.lines("checkpoint")).toMatchObject([{ step: 5 }, { step: 10 }]);
  const next = script.restarted();
  const onDisk = (stored: (typeof first)[]): Inventory => ({ parameterRoots: [], optimizer: [], stored });
  for (const peer of ["a1", "a2", "a3", "a4", "a5", "a6"]) {
    next.join(peer, onDisk([first, second]), "device-a");
    next.feed({ kind: "closed", conn: `conn-${peer}` });
  }
  next.join("b1", onDisk([first]), "device-b");
  next.join("a7", onDisk([first, second]), "device-a");
  expect((next.state.peers.get("a7")?.heldUntilMs ?? 0) - next.nowMs).toBe(20_000);
  next.pass(18_000, ["a7", "b1"]);
  expect(next.lines("rollback")).toEqual([{ type: "rollback", to: 10 }]);
  expect(next.members.toSorted()).toEqual(["a7", "b1"]);
});

test("of older checkpoints on a disk those of the log are kept beside a new one, not the newest", () => {
  const script = new Script({ startWith: 1 });
  const shards = Array.from({ length: 120 }, (_, shard) => shard);
  const store = (step: number): string => {
    const chain = script.state.durable.record?.chain ?? "";
    script.say("a", { kind: "stored", step, chain, shards, error: null, ms: 1 });
    script.say("a", { kind: "digest", step, chain, digest: "x" });
    return chain;
  };
  script.join("a");
  script.ready("a", 0);
  for (let step = 1; step <= 5; step++) script.vote("a");
  const first = store(5);
  // One of step 9 was given up by a rollback.
  const stored = [{ step: 9, chain: "given up", shards }, { step: 5, chain: first, shards }]; // prettier-ignore
  script.joined("a", { ...inventoryAt(5), stored });
  for (let step = 6; step <= 10; step++) script.vote("a");
  const second = store(10);
  expect(script.state.peers.get("a")?.inventory.stored.map(({ chain }) => chain)).toEqual([second, first]);
});

test("a checkpoint that cannot be put together names the devices that hold the rest", () => {
  const script = new Script({ startWith: 1 });
  script.join("a");
  script.ready("a", 0);
  for (let step = 1; step <= 5; step++) script.vote("a");
  const chain = script.state.durable.record?.chain ?? "";
  const shards = Array.from({ length: 120 }, (_, shard) => shard);
  script.say("a", { kind: "stored", step: 5, chain, shards, error: null, ms: 1 });
  script.say("a", { kind: "digest", step: 5, chain, digest: "x" });
  const next = script.restarted();
  next.join("b");
  next.pass(20_000, ["b"]);
  expect(next.state.waitingReason).toContain("device-a");
  expect(next.lines("rollback")).toEqual([]);
});

test("a pair that cannot link is parted after two attempts, the newer one waiting outside", () => {
  const script = new Script({ startWith: 3 });
  for (const peer of ["a", "b", "c"]) {
    script.join(peer);
    script.nowMs += 10;
  }
  for (let attempt = 0; attempt < 2; attempt++) {
    const { incarnation, epoch } = script.state.durable;
    script.say("c", { kind: "failed", incarnation, epoch, reason: "cannot reach b", unreachable: ["b"], missing: [] });
    script.pass(2_000, ["a", "b", "c"]);
  }
  expect(script.members).toEqual(["a", "b"]);
});

test("what could not be had of a state counts again when the same steps have been done again", () => {
  const script = new Script({ startWith: 2 });
  for (const peer of ["a", "b"]) script.join(peer);
  for (const peer of ["a", "b"]) script.ready(peer, 0);
  const { incarnation, epoch } = script.state.durable;
  const missing = Array.from({ length: 120 }, (_, shard) => optimizerName(shard, "d1"));
  script.say("a", { kind: "failed", incarnation, epoch, reason: "missing", unreachable: [], missing });
  expect(script.state.badHashes.size).toBeGreaterThan(0);
  script.pass(2_000, ["a", "b"]);
  for (const peer of ["a", "b"]) script.ready(peer, 0);
  for (const peer of ["a", "b"]) script.vote(peer);
  expect(script.committedStep).toBe(1);
  expect(script.state.badHashes.size).toBe(0);
});

test("the run ends with every member's digest", () => {
  const script = new Script({ startWith: 2, steps: 1 });
  script.join("a");
  script.join("b");
  script.ready("a", 0);
  script.ready("b", 0);
  script.vote("a");
  script.vote("b");
  expect(script.lastTo("a", "finish")).toMatchObject({ step: 1 });
  const chain = script.state.durable.record?.chain ?? "";
  for (const peer of ["a", "b"]) {
    script.say(peer, {
      kind: "stored",
      step: 1,
      chain,
      shards: Array.from({ length: 120 }, (_, s) => s),
      error: null,
      ms: 1,
    });
    script.say(peer, { kind: "digest", step: 1, chain, digest: "same" });
  }
  expect(script.lines("end")).toMatchObject([{ steps: 1, digests: { a: "same", b: "same" } }]);
  expect(script.state.durable.endDigests !== null).toBe(true);
});

test("replaying the log rebuilds the durable state exactly", () => {
  const script = four();
  for (let step = 1; step <= 6; step++) commitBy(script, ["a", "b", "c", "d"]);
  const { incarnation } = script.state.durable;
  expect(script.restarted().state.durable).toEqual({ ...script.state.durable, incarnation: incarnation + 1 });
});

test("a member whose warm-up was slow gets a slot, and its share once it is measured", () => {
  const script = new Script({ startWith: 2 });
  script.join("a");
  const info = { peer: "b", device: "device-b", engine: "test" };
  script.say("b", { kind: "hello", protocol: PROTOCOL_VERSION, room: "room", role: "member", info });
  const genesis = { parameters: GENESIS.parameters, optimizer: [...GENESIS.optimizer.values()] };
  script.say("b", { kind: "join", engine: "test", slots: 8, slotsPerSecond: 1e-3, inventory: EMPTY, genesis });
  script.ready("a", 0);
  script.ready("b", 0);
  const counts = (): number[] => script.state.epoch?.slots?.map((slots) => slots.length) ?? [];
  expect(counts()).toEqual([7, 1]);
  commitBy(script, ["a", "b"]); // Both say 100 ms: b did one slot in it, a seven.
  for (let step = 0; step < 3; step++) commitBy(script, ["a", "b"]);
  expect(counts()[1]).toBeGreaterThanOrEqual(1);
});

test("a server that dies between the last COMMIT and the end asks for the digests again, and tells late observers the end", () => {
  const script = new Script({ startWith: 1, steps: 1 });
  script.join("a");
  script.ready("a", 0);
  script.vote("a");
  const next = script.restarted();
  next.join("a", inventoryAt(1));
  next.ready("a", 1);
  expect(next.lastTo("a", "finish")).toMatchObject({ step: 1 });
  expect(next.state.durable.endDigests).toBeNull();
  const chain = next.state.durable.record?.chain ?? "";
  next.say("a", { kind: "digest", step: 1, chain, digest: "read back" });
  expect(next.lines("end")).toMatchObject([{ digests: { a: "read back" } }]);
  const later = next.restarted();
  const info = { peer: "o", device: "o", engine: "o" };
  later.say("o", { kind: "hello", protocol: PROTOCOL_VERSION, room: "room", role: "observer", info });
  expect(later.lines("end")).toMatchObject([{ steps: 1, digests: { a: "read back" } }]);
});

test("a run that lost everything before its first checkpoint starts again with whoever is back", () => {
  const script = new Script({ startWith: 3 });
  for (const peer of ["a", "b", "c"]) script.join(peer);
  for (const peer of ["a", "b", "c"]) script.ready(peer, 0);
  commitBy(script, ["a", "b", "c"]);
  const next = script.restarted();
  next.join("d");
  next.pass(30_000, ["d"]);
  expect(next.lines("rollback")).toEqual([{ type: "rollback", to: 0 }]);
  expect(next.members).toEqual(["d"]);
});
