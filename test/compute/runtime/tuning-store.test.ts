import { expect, test } from "vitest";
import type { TuningEntry, TuningTable } from "../../../src/compute/compiler/tuning/table.ts";
import { NullDevice } from "../../../src/compute/device/null/null-device.ts";
import { adapterKey, decodeTable, encodeTable } from "../../../src/compute/runtime/tuning-store.ts";
import { tableOf } from "./tuning-table.ts";

const ADAPTER = "webgpu: a GPU";
const table = tableOf();
const text = encodeTable(ADAPTER, table);

/** The text with one entry changed. */
function altered(change: Readonly<Record<string, unknown>>): string {
  const parsed = JSON.parse(text) as { entries: TuningEntry[] };
  const [first, ...others] = parsed.entries;
  return JSON.stringify({ ...parsed, entries: [{ ...first, ...change }, ...others] });
}

const NOTHING: TuningTable = new Map();

test("a table comes back as it was", () => {
  expect(decodeTable(ADAPTER, text)).toEqual(table);
  expect(decodeTable(ADAPTER, encodeTable(ADAPTER, NOTHING))).toEqual(NOTHING);
});

test("text that is torn, of another version or adapter, or no text of ours at all, counts as nothing", () => {
  for (let end = 0; end < text.length - 2; end += 7) expect(decodeTable(ADAPTER, text.slice(0, end))).toEqual(NOTHING);
  expect(decodeTable("webgpu: another GPU", text)).toEqual(NOTHING);
  expect(decodeTable(ADAPTER, text.replace(/"version": 1\b/, '"version": 2'))).toEqual(NOTHING);
  for (const other of ["", "null", "[]", "{}", '"text"', "\u0000"])
    expect(decodeTable(ADAPTER, other)).toEqual(NOTHING);
});

test.each([
  ["a winner that is no candidate", { winner: "32x32" }],
  ["no candidates", { candidates: [] }],
  ["times that are no numbers", { candidates: [{ name: "a", ms: "fast", rejection: null }], winner: "a" }],
  ["negative times", { candidates: [{ name: "a", ms: -1, rejection: null }], winner: "a" }],
  ["no kind", { kind: undefined }],
])("%s: the table counts as nothing", (_, change) => {
  expect(decodeTable(ADAPTER, altered(change))).toEqual(NOTHING);
});

test("adapters are told apart by kind, name and float16", () => {
  const info = { ...new NullDevice().info, kind: "webgpu", name: "a GPU" } as const;
  expect(adapterKey({ ...info, hasFloat16: true })).toBe("webgpu: a GPU, float16");
  expect(adapterKey({ ...info, hasFloat16: false })).toBe(ADAPTER);
});
