import { expect, test } from "vitest";
import { QuotaError } from "../../src/base/errors.ts";
import { PACKS } from "../../src/training/checkpoint/garbage.ts";
import { MemoryStore } from "../../src/storage/memory/memory-store.ts";
import type { Store } from "../../src/storage/store.ts";
import { Room, type Tab } from "./room.ts";

const STEPS = 20;

async function undisturbed(tabs: number): Promise<Room> {
  const room = new Room({ startWith: tabs, steps: STEPS }, 1);
  for (let tab = 0; tab < tabs; tab++) room.open();
  await room.until(() => room.isEnded, 120_000);
  expect(room.step).toBe(STEPS);
  return room;
}

function expectSameLosses(room: Room, reference: Room): void {
  const expected = reference.losses();
  expect(room.losses().size).toBe(STEPS);
  // To the bit: sums go by slots, whoever computes them.
  for (const [step, loss] of room.losses()) expect(loss, `step ${step}`).toBe(expected.get(step));
}

test("four members train as one does: the same losses, and the same bytes on each", async () => {
  const [one, four] = [await undisturbed(1), await undisturbed(4)];
  expectSameLosses(four, one);
  for (const checkpoint of four.linesOf("checkpoint")) {
    expect(Object.keys(checkpoint.digests)).toHaveLength(4);
    expect(new Set(Object.values(checkpoint.digests)).size).toBe(1);
    expect(checkpoint.copies).toBe(3);
  }
  expect(four.linesOf("checkpoint").map(({ step }) => step)).toEqual([5, 10, 15, 20]);
  const [end] = four.linesOf("end");
  expect(new Set(Object.values(end?.digests ?? {})).size).toBe(1);
});

test("members send what owner-computes costs: 2(n-1)/n x 4P of gradients and parameters, 8P/n of replicas", async () => {
  const four = await undisturbed(4);
  const line = four.linesOf("step").find(({ step }) => step === 8);
  const count = 1_003;
  for (const bytes of Object.values(line?.bytesSent ?? {})) {
    // Shards of nine floats make the owners' parts unequal by a shard or two, and headers weigh more than on a real model.
    expect((bytes.gradients + bytes.parameters) / (((2 * 3) / 4) * 4 * count)).toBeCloseTo(1, 0);
    expect(bytes.optimizerReplica / ((8 * count) / 4)).toBeCloseTo(1, 0);
  }
});

test.each([1, 2, 3, 4, 5, 6, 7, 8])(
  "a member killed at moment %i costs no step and changes no loss",
  async (moment) => {
    const reference = await undisturbed(4);
    const room = new Room({ startWith: 4, steps: STEPS }, moment);
    const tabs = Array.from({ length: 4 }, () => room.open());
    await room.until(() => room.step >= 7, 60_000);
    await room.clock.advance(moment * 9);
    tabs[moment % 4]?.kill();
    await room.until(() => room.step >= 12, 60_000);
    room.open();
    await room.until(() => room.isEnded, 120_000);
    expectSameLosses(room, reference);
    expect(room.linesOf("rollback")).toEqual([]);
    expect(room.linesOf("step").map(({ step }) => step)).toEqual(Array.from({ length: STEPS }, (_, i) => i + 1));
  },
);

test.each([1, 2, 3, 4, 5, 6])(
  "a member that retires at moment %i costs nothing: no step is done twice, none is lost",
  async (moment) => {
    const reference = await undisturbed(4);
    const room = new Room({ startWith: 4, steps: STEPS }, moment);
    const tabs = Array.from({ length: 4 }, () => room.open());
    await room.until(() => room.step >= 7, 60_000);
    await room.clock.advance(moment * 9);
    const [first, second] = [tabs[moment % 4] as Tab, tabs[(moment + 1) % 4] as Tab];
    expect(await room.clock.run(first.member.retire("going"))).toBe(true);
    first.kill();
    expect(await room.clock.run(second.member.pause("paused"))).toBe(true);
    const step = room.step;
    await room.until(() => room.step >= step + 3, 60_000);
    await second.member.resume();
    await room.until(() => room.isEnded, 120_000);
    expectSameLosses(room, reference);
    for (const type of ["abort", "rollback"] as const) expect(room.linesOf(type)).toEqual([]);
    expect(room.linesOf("step").map(({ step }) => step)).toEqual(Array.from({ length: STEPS }, (_, i) => i + 1));
    expect(room.linesOf("member").filter(({ event }) => event === "lost")).toEqual([]);
  },
);

test("a server that dies while a member hands over hears of it again, and nothing is lost", async () => {
  const room = new Room({ startWith: 3, steps: STEPS }, 5);
  const tabs = Array.from({ length: 3 }, () => room.open());
  await room.until(() => room.step >= 6, 60_000);
  const going = (tabs[0] as Tab).member.retire("going");
  await room.clock.advance(20);
  room.crash();
  await room.clock.advance(500);
  room.start();
  expect(await room.clock.run(going)).toBe(true);
  expect(room.state.epoch?.members.map(({ peer }) => peer)).toEqual(["peer-1", "peer-2"]);
  tabs[0]?.kill();
  await room.until(() => room.isEnded, 120_000);
  expect(room.linesOf("rollback")).toEqual([]);
  expect(room.losses().size).toBe(STEPS);
});

test("when all retire, what they did last is on their disks: the next ones lose no step", async () => {
  const room = new Room({ startWith: 3, steps: STEPS }, 6);
  const tabs = Array.from({ length: 3 }, () => room.open());
  await room.until(() => room.step >= 7, 60_000);
  await room.clock.advance(10);
  const going = tabs.map((tab) => tab.member.retire("going"));
  for (const gone of going) expect(await room.clock.run(gone)).toBe(true);
  for (const tab of tabs) tab.kill();
  await room.clock.advance(2_000);
  for (const tab of tabs) room.open(tab.store, `device-of-${tab.peer}`);
  await room.until(() => room.isEnded, 200_000);
  expect(room.linesOf("rollback")).toEqual([]);
  expect(room.linesOf("step").map(({ step }) => step)).toEqual(Array.from({ length: STEPS }, (_, i) => i + 1));
});

test.each([1, 2, 3, 4])("a server killed at moment %i resumes the run where it was", async (moment) => {
  const reference = await undisturbed(4);
  const room = new Room({ startWith: 4, steps: STEPS }, moment);
  for (let tab = 0; tab < 4; tab++) room.open();
  await room.until(() => room.step >= 7, 60_000);
  await room.clock.advance(moment * 17);
  room.crash();
  await room.clock.advance(1_000);
  room.start();
  await room.until(() => room.isEnded, 120_000);
  expectSameLosses(room, reference);
  expect(room.linesOf("rollback")).toEqual([]);
});

test("a member frozen for half a minute is done without, and comes back", async () => {
  const reference = await undisturbed(4);
  const room = new Room({ startWith: 4, steps: STEPS }, 1);
  const tabs = Array.from({ length: 4 }, () => room.open());
  await room.until(() => room.step >= 5, 60_000);
  await room.clock.advance(30);
  const frozen = tabs[1] as Tab;
  room.network.freeze(frozen.peer);
  await room.clock.advance(8_000);
  expect(room.state.epoch?.members.some(({ peer }) => peer === frozen.peer)).toBe(false);
  room.network.thaw(frozen.peer);
  await room.until(() => room.isEnded, 120_000);
  expectSameLosses(room, reference);
});

test("a link that is found dead while an epoch forms is made anew, and costs no epoch of its own", async () => {
  const reference = await undisturbed(4);
  // With this seed's delays nothing else gives a sign of life meanwhile: then bytes are fetched already, and that fails.
  const room = new Room({ startWith: 4, steps: STEPS }, 2);
  const tabs = Array.from({ length: 4 }, () => room.open());
  await room.until(() => room.step >= 5, 60_000);
  const [a, b, , d] = tabs as [Tab, Tab, Tab, Tab];
  d.kill();
  while (room.state.phase.kind !== "forming") await room.clock.advance(1);
  await room.clock.advance(4); // The members have heard of the epoch, and ask each other for signs of life.
  room.network.breakLinks(a.peer, b.peer);
  await room.until(() => room.isEnded, 120_000);
  expect(room.linesOf("abort").map(({ reason }) => reason)).toEqual([`${d.peer} was lost`]);
  expectSameLosses(room, reference);
});

test.each([4, 2])("all gone, %i tabs of the same devices go on from the newest whole checkpoint", async (back) => {
  const reference = await undisturbed(4);
  const room = new Room({ startWith: 4, steps: STEPS }, 3);
  const tabs = Array.from({ length: 4 }, () => room.open());
  await room.until(() => room.step >= 12, 60_000);
  await room.clock.advance(50);
  for (const tab of tabs) tab.kill();
  room.crash();
  await room.clock.advance(2_000);
  room.start();
  for (const tab of tabs.slice(0, back)) room.open(tab.store, `device-of-${tab.peer}`);
  await room.until(() => room.isEnded, 200_000);
  expect(room.linesOf("rollback")).toEqual([{ type: "rollback", to: 10 }]);
  expectSameLosses(room, reference);
});

test("an altered chunk is never loaded: the good copy on another device is", async () => {
  const reference = await undisturbed(4);
  const room = new Room({ startWith: 4, steps: STEPS }, 3);
  const tabs = Array.from({ length: 4 }, () => room.open());
  await room.until(() => room.step >= 12, 60_000);
  for (const tab of tabs) tab.kill();
  await room.clock.advance(1_000);
  const [broken] = tabs as [Tab];
  const packs = await room.clock.run(broken.store.keys(PACKS));
  expect(packs.length).toBeGreaterThan(0);
  const altered = packs.map((key) => ({ key, value: new Uint8Array([1, 2, 3]) }));
  await broken.store.put(altered, { durability: "relaxed" });
  for (const tab of tabs) room.open(tab.store, `device-of-${tab.peer}`);
  await room.until(() => room.isEnded, 200_000);
  expectSameLosses(room, reference);
});

/** A disk that is full from the start. */
function fullStore(): Store {
  const store = new MemoryStore();
  return {
    kind: store.kind,
    get: (key) => store.get(key),
    delete: (keys) => store.delete(keys),
    keys: (prefix) => store.keys(prefix),
    close: () => store.close(),
    put: (entries, options) =>
      entries.some(({ key }) => key.startsWith(PACKS))
        ? Promise.reject(new QuotaError("put: expected room for 8 kB, found none"))
        : store.put(entries, options),
  };
}

test("a full disk is reported, its part is kept by others, and training goes on", async () => {
  const reference = await undisturbed(4);
  const room = new Room({ startWith: 4, steps: STEPS }, 1);
  room.open(fullStore());
  for (let tab = 1; tab < 4; tab++) room.open();
  await room.until(() => room.isEnded, 120_000);
  expectSameLosses(room, reference);
  const [first] = room.linesOf("checkpoint");
  expect(Object.values(first?.errors ?? {})).toEqual([expect.stringMatching(/quota/)]);
  expect(first?.copies).toBe(2);
});

test("one tab of four that comes back alone waits, and names the devices that hold the rest", async () => {
  const room = new Room({ startWith: 4, steps: STEPS }, 3);
  const tabs = Array.from({ length: 4 }, () => room.open());
  await room.until(() => room.step >= 12, 60_000);
  for (const tab of tabs) tab.kill();
  await room.clock.advance(2_000);
  const [last] = tabs as [Tab];
  room.open(last.store, `device-of-${last.peer}`);
  await room.clock.advance(30_000);
  expect(room.step).toBe(12);
  expect(room.linesOf("waiting").at(-1)?.devices).toEqual(["device-of-peer-1", "device-of-peer-2", "device-of-peer-3"]);
});
