/** Runs that go on from another run's exported checkpoint: the same losses as if it had never ended, or a clear refusal. */
import { beforeAll, expect, test } from "vitest";
import type { Bytes } from "../../src/base/bytes.ts";
import { CorruptDataError, OptionError } from "../../src/base/errors.ts";
import { hashBytes } from "../../src/base/hash.ts";
import type { ImportSpec } from "../../src/network/wire/run-spec.ts";
import type { StateLayout } from "../../src/network/wire/state-record.ts";
import { importVersion } from "../../src/training/checkpoint/import-state.ts";
import { Room } from "./room.ts";

const SEED = 7;
const TABS = 3;
const [MIDDLE, STEPS] = [10, 20];

let whole: Room;
let file: Bytes;
let from: ImportSpec;

/** The layout of the toy engine's state. */
const layout: StateLayout = {
  tensors: [
    { name: "weight", dtype: "float32", shape: [17, 50], offset: 0 },
    { name: "bias", dtype: "float32", shape: [153], offset: 850 },
  ],
  optimizer: { name: "toy", options: {}, vectors: ["exp_avg", "exp_avg_sq"] },
  lossScale: null,
};

beforeAll(async () => {
  whole = new Room({ startWith: TABS, steps: STEPS, seed: SEED }, 5);
  const [tab] = Array.from({ length: TABS }, () => whole.open());
  await whole.until(() => whole.step >= MIDDLE && whole.state.checkpoint === null, 60_000);
  let exported: Bytes | null = null;
  void tab?.member.exportCheckpoint().then((bytes) => (exported = bytes));
  await whole.until(() => exported !== null, 60_000);
  file = exported ?? expect.fail("expected an export");
  from = { hash: hashBytes(file), bytes: file.byteLength, name: "toy.safetensors", step: MIDDLE };
  await whole.until(() => whole.isEnded, 60_000);
  expect(whole.step).toBe(STEPS);
});

async function continuation(tabs: number): Promise<Room> {
  const first = await importVersion(file, from, layout);
  const room = new Room({ startWith: tabs, steps: STEPS, seed: SEED, from }, 11, { first });
  for (let tab = 0; tab < tabs; tab++) room.open();
  return room;
}

test("a run of 20 steps, exported at 10 and gone on with by as many tabs, is the run that never ended, bit for bit", async () => {
  const room = await continuation(TABS);
  await room.until(() => room.isEnded, 120_000);
  const rest = [...whole.losses()].filter(([step]) => step > MIDDLE);
  expect([...room.losses()]).toEqual(rest);
  expect(rest).toHaveLength(STEPS - MIDDLE);
  const [before, after] = [whole, room].map(({ state }) => state.durable);
  expect(after?.record?.stateHash).toBe(before?.record?.stateHash);
  expect(after?.history.map(({ step }) => step)).toEqual(rest.map(([step]) => step));
});

/** Other tabs add gradients up in another order: a rounding of float32 a step, ten of them, and the targets do not let them grow. */
const TOLERANCE = 10 * 2 ** -23;

test.each([1, 2, 4])("by %i tabs its losses are the same but for rounding", async (tabs) => {
  const room = await continuation(tabs);
  await room.until(() => room.isEnded, 120_000);
  const losses = room.losses();
  expect(losses.size).toBe(STEPS - MIDDLE);
  for (const [step, loss] of losses) {
    const other = whole.losses().get(step) ?? Number.NaN;
    expect(Math.abs(loss - other) / other, `step ${step}`).toBeLessThan(TOLERANCE);
  }
});

test("one that loses everything before its first checkpoint begins again with the imported state", async () => {
  const room = await continuation(TABS);
  await room.until(() => room.step >= MIDDLE + 2, 60_000);
  const before = room.losses();
  room.crash();
  const again = new Room({}, 12, { log: [...room.log], first: await importVersion(file, from, layout) });
  for (let tab = 0; tab < TABS; tab++) again.open();
  await again.until(() => again.isEnded, 120_000);
  expect(again.linesOf("rollback")[0]).toEqual({ type: "rollback", to: MIDDLE });
  expect(again.step).toBe(STEPS);
  expect(again.losses().get(MIDDLE + 1)).toBe(before.get(MIDDLE + 1));
  expect(again.state.durable.record?.stateHash).toBe(whole.state.durable.record?.stateHash);
});

const bias = { name: "bias", dtype: "float32", shape: [153], offset: 850 };

test.each<[string, Partial<ImportSpec>, Partial<StateLayout>, RegExp]>([
  ["of another step", { step: 5 }, {}, /expected the state after step 5, found 10/],
  [
    "of another optimizer",
    {},
    { optimizer: { name: "sgd", options: {}, vectors: [] } },
    /expected state of sgd, found that of toy/,
  ],
  [
    "of a model of another shape",
    {},
    { tensors: [{ name: "weight", dtype: "float32", shape: [34, 25], offset: 0 }, bias] },
    /“weight” of \[34, 25\], found one of \[17, 50\]/,
  ],
  [
    "without a tensor",
    {},
    { tensors: [...layout.tensors, { name: "scale", dtype: "float32", shape: [1], offset: 1003 }] },
    /“scale” of \[1\], found no such tensor/,
  ],
  ["with a tensor more", {}, { tensors: [bias] }, /found a tensor “(optimizer.exp_avg(_sq)?\.)?weight” besides/],
])("a checkpoint %s is refused in one sentence", async (_, spec, other, sentence) => {
  const importing = importVersion(file, { ...from, ...spec }, { ...layout, ...other });
  await expect(importing).rejects.toThrow(OptionError);
  await expect(importing).rejects.toThrow(sentence);
});

test("a truncated file, or one that is no checkpoint, is corrupt", async () => {
  for (const bytes of [
    file.slice(0, -1),
    file.slice(0, 100),
    new Uint8Array(0),
    new TextEncoder().encode("a text file"),
  ]) {
    await expect(importVersion(bytes, from, layout)).rejects.toThrow(CorruptDataError);
  }
});
