/** Checkpoints of live rooms, by copies and by parity: which losses they stand, and onto which members they go. */
import { expect, test } from "vitest";
import { hashBytes } from "../../src/base/hash.ts";
import { SHARDS } from "../../src/network/wire/state-record.ts";
import { MemoryStore } from "../../src/storage/memory/memory-store.ts";
import type { Store } from "../../src/storage/store.ts";
import type { LogRecord } from "../../src/training/coordinator/protocol.ts";
import { Room } from "./room.ts";

const PARITY = { lossChanceMax: 1, copiesMax: 0 };
const COPIES = {};
const STEPS = 12;

interface Written {
  readonly log: readonly LogRecord[];
  /** By device. */
  readonly disks: ReadonlyMap<string, Store>;
}

/** What is left when a room of so many tabs dies in step 12: the log and the disks, with the checkpoint of step 10. */
async function written(tabs: number, limits: object): Promise<Written> {
  const room = new Room({ startWith: tabs, steps: STEPS }, 3, { limits });
  const opened = Array.from({ length: tabs }, () => room.open());
  await room.until(() => room.step >= 11 && room.state.checkpoint === null, 60_000);
  expect(room.state.durable.generations.at(-1)?.record.step).toBe(10);
  for (const tab of opened) tab.kill();
  room.crash();
  return { log: room.log, disks: new Map(opened.map(({ peer, store }) => [`device-of-${peer}`, store])) };
}

async function merged(stores: readonly Store[]): Promise<Store> {
  const all = new MemoryStore();
  for (const store of stores) {
    for (const key of await store.keys("")) {
      const value = await store.get(key);
      if (value) await all.put([{ key, value }], { durability: "relaxed" });
    }
  }
  return all;
}

/** Opens the room again on these disks; resolves when everybody is ready to go on from step 10, every byte checked. */
async function expectRestored({ log }: Written, disks: readonly Store[], seed: number): Promise<Room> {
  const room = new Room({}, seed, { log: [...log] });
  const tabs = disks.map((disk, at) => room.open(disk, `new-device-${at}`));
  await room.until(() => room.step === 10 && room.state.phase.kind === "stepping", 120_000);
  const record = room.state.durable.record;
  expect(room.linesOf("rollback")).toEqual([{ type: "rollback", to: 10 }]);
  expect(room.state.epoch?.members).toHaveLength(disks.length);
  const held = new Set<number>();
  for (const { member } of tabs) {
    expect(member.committed?.parameterRoot).toBe(record?.parameterRoot);
    for (const [shard, { bytes }] of member.committed?.optimizer ?? []) {
      expect(hashBytes(bytes)).toBe(record?.optimizer[shard]);
      held.add(shard);
    }
  }
  expect(held.size).toBe(SHARDS);
  return room;
}

function pairs(count: number): [number, number][] {
  return Array.from({ length: count }, (_, a) => a).flatMap((a) =>
    Array.from({ length: count - a - 1 }, (_, b): [number, number] => [a, a + b + 1]),
  );
}

test.each([
  ["copies", COPIES, [1, 3]],
  ["parity", PARITY, [4, 6]],
] as const)("of six devices any two may be lost: %s", async (_, limits, scheme) => {
  const left = await written(6, limits);
  const generation = left.log.findLast((record) => record.kind === "checkpoint");
  expect(generation?.stripes?.length ?? 0).toBe(scheme[0] === 1 ? 0 : SHARDS / 4);
  for (const lost of pairs(6)) {
    const disks = [...left.disks.values()].filter((_, at) => !lost.includes(at));
    // Copied: what one restore writes must not help the next.
    const room = await expectRestored(left, await Promise.all(disks.map((disk) => merged([disk]))), 1);
    const sources = new Set(room.linesOf("recovery").flatMap((line) => line.sources.map(({ source }) => source)));
    expect(sources.has("parity")).toBe(scheme[0] > 1);
  }
});

const SIZES = [1, 2, 3, 5, 8];

test.each(SIZES)("what %i members wrote goes onto 1, 2, 3, 5 and 8, bit for bit", async (from) => {
  const left = await written(from, PARITY);
  const spare = from > 3 ? 2 : 0;
  const stores = [...left.disks.values()].slice(spare);
  for (const to of SIZES) {
    const disks = Array.from({ length: to }, (_, at) => merged(stores.filter((_, store) => store % to === at)));
    await expectRestored(left, await Promise.all(disks), to);
  }
});

test("a third loss is not covered: the run waits and names the devices that would bring it back", async () => {
  const left = await written(6, PARITY);
  const room = new Room({}, 1, { log: [...left.log] });
  for (const [device, disk] of [...left.disks].slice(3)) room.open(disk, device);
  await room.clock.advance(30_000);
  expect(room.step).toBe(11);
  expect(room.linesOf("waiting").at(-1)?.devices).toEqual([...left.disks.keys()].slice(0, 3));
});

test.each([
  ["another's copy", COPIES],
  ["parity, where the only copy is this one", PARITY],
] as const)(
  "what rots on a disk is found at the next checkpoint, and mended before it is needed: from %s",
  async (_, limits) => {
    const room = new Room({ startWith: 4, steps: STEPS }, 3, { limits });
    const tabs = Array.from({ length: 4 }, () => room.open());
    await room.until(() => room.step >= 6 && room.state.checkpoint === null, 60_000);
    const [{ store }] = tabs as [(typeof tabs)[number]];
    const keys = await store.keys("pack/");
    const packs = await Promise.all(
      keys.map(async (key) => ({ key, value: (await store.get(key)) ?? new Uint8Array() })),
    );
    const spoiled = packs.map(({ key, value }) => ({
      key,
      value: value.map((byte, at) => (at < 100 ? byte ^ 1 : byte)),
    }));
    await store.put(spoiled, { durability: "relaxed" });
    await room.until(() => room.step >= 11 && room.state.checkpoint === null, 60_000);
    await room.clock.advance(500);
    expect(room.notes).toContainEqual(expect.stringMatching(/(\d+) chunks on this disk .* rotted: \1 are mended/));
    for (const { key, value } of packs) {
      const bytes = await store.get(key);
      if (bytes) expect(bytes).toEqual(value);
    }
    expect(await store.keys("pack/")).toContainEqual(packs[0]?.key);
  },
);
