/**
 * Where a device's tuning table outlives the process: an interface, and the text that is kept. The stores themselves are
 * the hosts': a file in Node, IndexedDB in browsers.
 */
import * as v from "valibot";
import type { TuningEntry, TuningTable } from "../compiler/tuning/table.ts";
import type { DeviceInfo } from "../device/device.ts";

/** Where tables are kept: a folder of files, a database. */
export interface TuningStore {
  /** The table of an adapter; an empty one where there is none, or none that can be understood. */
  load(adapter: string): Promise<TuningTable>;
  /** Replaces it. @throws QuotaError where the disk or the browser refuses */
  save(adapter: string, table: TuningTable): Promise<void>;
}

/** Grows when the text changes its meaning, or kernels change so much that old times say nothing. */
const VERSION = 1;

/** What a table belongs to: vendor, architecture and driver, as far as the platform tells, and whether there is float16. */
export function adapterKey({ kind, name, hasFloat16 }: DeviceInfo): string {
  return `${kind}: ${name}${hasFloat16 ? ", float16" : ""}`;
}

const text = v.pipe(v.string(), v.maxLength(2_000));
const ms = v.pipe(v.number(), v.finite(), v.minValue(0));
const candidate = v.object({ name: text, ms: v.nullable(ms), rejection: v.nullable(text) });
const entry = v.pipe(
  v.object({
    key: text,
    kind: text,
    shapeClass: text,
    dtype: text,
    candidates: v.pipe(v.array(candidate), v.minLength(1), v.maxLength(1_000)),
    winner: v.nullable(text),
  }),
  v.check(({ candidates, winner }) => winner === null || candidates.some(({ name }) => name === winner)),
);
const table = v.object({
  version: v.literal(VERSION),
  adapter: v.string(),
  entries: v.pipe(v.array(entry), v.maxLength(100_000)),
});

export function encodeTable(adapter: string, entries: TuningTable): string {
  const list = [...entries].map(([key, value]) => ({ key, ...value }));
  return `${JSON.stringify({ version: VERSION, adapter, entries: list }, null, 1)}\n`;
}

/** The table in `text`, when it is of this version and adapter, and whole; else an empty one: it can be measured again. */
export function decodeTable(adapter: string, json: string): TuningTable {
  const result = v.safeParse(table, parsed(json), { abortEarly: true });
  if (!result.success || result.output.adapter !== adapter) return new Map();
  return new Map(result.output.entries.map(({ key, ...value }): [string, TuningEntry] => [key, value]));
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}
