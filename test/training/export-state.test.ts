/** Files that members of a live room write, read back and compared with the log and the members' digests. */
import { expect, test } from "vitest";
import { bytesOf, concatBytes, type Bytes } from "../../src/base/bytes.ts";
import { UnsupportedError } from "../../src/base/errors.ts";
import { hashBytes } from "../../src/base/hash.ts";
import { readSafetensors } from "../../src/model/safetensors/safetensors-file.ts";
import { importState } from "../../src/training/checkpoint/import-state.ts";
import { shardRange } from "../../src/training/parallel/shards.ts";
import { Room, type Tab } from "./room.ts";

async function roomAtCheckpoint(): Promise<{ room: Room; tabs: Tab[] }> {
  const room = new Room({ startWith: 4, steps: 20, seed: 7 }, 5);
  const tabs = Array.from({ length: 4 }, () => room.open());
  await room.until(() => room.step >= 6 && room.state.checkpoint === null, 60_000);
  return { room, tabs };
}

async function exported(room: Room, tab: Tab): Promise<Bytes> {
  let isDone = false;
  const exporting = tab.member.exportCheckpoint().finally(() => (isDone = true));
  const settled = Promise.allSettled([exporting]);
  await room.until(() => isDone, 80_000);
  expect(isDone).toBe(true);
  await settled;
  return exporting;
}

/** The tensors called `${prefix}weight` and `${prefix}bias`, end to end. */
function flat(file: Bytes, prefix: string): Float32Array<ArrayBuffer> {
  const tensors = readSafetensors(file);
  const parts = ["weight", "bias"].map((name) =>
    bytesOf(tensors.get(prefix + name)?.data as Float32Array<ArrayBuffer>),
  );
  return new Float32Array(concatBytes(parts).buffer);
}

test("a member's export has the parameters that all devices read back, and the optimizer state that was logged", async () => {
  const { room, tabs } = await roomAtCheckpoint();
  const [tab, other] = tabs as [Tab, Tab];
  const file = await exported(room, tab);
  expect(await exported(room, other)).toEqual(file);
  const [line] = room.linesOf("checkpoint");
  const digests = Object.values(line?.digests ?? {});
  expect(digests).toHaveLength(4);
  expect(new Set(digests)).toEqual(new Set([hashBytes(bytesOf(flat(file, "")))]));
  const record = room.state.durable.generations[0]?.record;
  const [first, second] = [flat(file, "optimizer.exp_avg."), flat(file, "optimizer.exp_avg_sq.")];
  const hashes = record?.optimizer.map((_, shard) => {
    const [from, to] = shardRange(first.length, shard);
    return hashBytes(concatBytes([bytesOf(first.slice(from, to)), bytesOf(second.slice(from, to))]));
  });
  expect(hashes).toEqual(record?.optimizer);
  const { position, tensors } = await importState(file);
  expect(position).toMatchObject({ step: 5, sampler: { seed: 7, position: 5 }, optimizer: { name: "toy" } });
  expect(tensors.map(({ name, shape }) => [name, shape])).toEqual([
    ["weight", [17, 50]],
    ["bias", [153]],
    ["optimizer.exp_avg.weight", [17, 50]],
    ["optimizer.exp_avg.bias", [153]],
    ["optimizer.exp_avg_sq.weight", [17, 50]],
    ["optimizer.exp_avg_sq.bias", [153]],
  ]);
});

test("a member dies while another exports: the file is of a whole checkpoint, and the run goes on to its end", async () => {
  const { room, tabs } = await roomAtCheckpoint();
  const [tab, , , gone] = tabs as [Tab, Tab, Tab, Tab];
  gone.kill();
  const file = await exported(room, tab);
  const { position } = await importState(file);
  const line = room.linesOf("checkpoint").find(({ step }) => step === position.step);
  expect(hashBytes(bytesOf(flat(file, "")))).toBe(line?.digests[tab.peer]);
  await room.until(() => room.isEnded, 120_000);
  expect(room.step).toBe(20);
  expect(room.linesOf("rollback")).toEqual([]);
});

test("before the first checkpoint there is nothing to export, and it is said", async () => {
  const room = new Room({ startWith: 1 }, 1);
  const tab = room.open();
  await room.until(() => room.step >= 2, 30_000);
  await expect(tab.member.exportCheckpoint()).rejects.toBeInstanceOf(UnsupportedError);
});
