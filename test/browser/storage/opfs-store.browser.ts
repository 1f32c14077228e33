import { wrap, type Remote } from "comlink";
import { afterEach, expect, test } from "vitest";
import type { Bytes } from "../../../src/base/bytes.ts";
import { AbortedError, CorruptDataError, DeadlineError, OptionError, QuotaError } from "../../../src/base/errors.ts";
import type { Store } from "../../../src/storage/store.ts";
import { storeSuite } from "../../storage/store-suite.ts";
import type { Call, OpenOptions, OpfsWorker } from "./opfs-worker.ts";

/** Errors cross as their code. */
const ERRORS = {
  aborted: AbortedError,
  "corrupt-data": CorruptDataError,
  deadline: DeadlineError,
  option: OptionError,
  quota: QuotaError,
} as const;

const workers: Worker[] = [];
const names = new Map<Store, string>();
const used = new Map<string, boolean>();
let count = 0;

function newWorker(): { worker: Worker; api: Remote<OpfsWorker> } {
  const worker = new Worker(new URL("./opfs-worker.ts", import.meta.url), { type: "module" });
  workers.push(worker);
  return { worker, api: wrap<OpfsWorker>(worker) };
}

let shared: Remote<OpfsWorker> | null = null;

/** A store in a worker: of the file's own, or of another tab's. */
async function open(options: OpenOptions, api = (shared ??= newWorker().api)): Promise<Store> {
  used.set(options.name, options.quota !== undefined);
  const id = await api.open(options);
  const ask = async (call: Call): Promise<unknown> => {
    const result = await api.call(id, call);
    if ("value" in result) return result.value;
    const Kind = ERRORS[result.code as keyof typeof ERRORS];
    throw Kind ? new Kind(result.message) : new Error(`${result.code}: ${result.message}`);
  };
  let isClosed = false;
  const store: Store = {
    kind: "opfs",
    get: (key) => ask(["get", key]) as Promise<Bytes | undefined>,
    put: (entries, durability) => ask(["put", entries, durability]) as Promise<void>,
    delete: (keys) => ask(["delete", keys]) as Promise<void>,
    keys: (prefix) => ask(["keys", prefix]) as Promise<string[]>,
    close: () => {
      if (!isClosed) void ask(["close"]);
      isClosed = true;
    },
  };
  names.set(store, options.name);
  return store;
}

const fresh = (): string => `hearth-test-opfs-${count++}`;
const relaxed = { durability: "relaxed" } as const;
const strict = { durability: "strict" } as const;
const one = [{ key: "a", value: Uint8Array.of(1) }];

afterEach(async () => {
  for (const [store] of names) store.close();
  names.clear();
  for (const [name, hasBucket] of used) await shared?.remove(name, hasBucket);
  used.clear();
  // All but the file's own.
  for (const worker of workers.splice(1)) worker.terminate();
});

storeSuite("OpfsStore", {
  open: () => open({ name: fresh() }),
  reopen: (store) => open({ name: names.get(store) ?? "" }, newWorker().api),
  openSmall: async () => ({ store: await open({ name: fresh(), quota: 2 * 1024 * 1024 }), end: async () => {} }),
});

test("two tabs use one folder at once, and of puts at once one is the last for both", async () => {
  const name = fresh();
  const left = await open({ name });
  const right = await open({ name }, newWorker().api);
  await left.put(one, relaxed);
  expect(await right.get("a")).toEqual(Uint8Array.of(1));
  const values = [left, right, left, right].map((store, at) => ({ store, value: Uint8Array.of(10 + at) }));
  await Promise.all(values.map(({ store, value }) => store.put([{ key: "a", value }], relaxed)));
  const last = await left.get("a");
  expect(values.map(({ value }) => value)).toContainEqual(last);
  expect(await right.get("a")).toEqual(last);
});

test("a tab that dies at any rename of a put leaves all of it or nothing to the others", async () => {
  const before = { a: [1], b: [1] };
  const after = { a: [2], b: [2], c: [2] };
  const seen = new Set<string>();
  for (let point = 0; point <= 4; point++) {
    const name = fresh();
    const witness = await open({ name });
    await put(witness, before);
    const { worker, api } = newWorker();
    const dying = await open({ name, stopAtMove: point }, api);
    const stopped = new Promise<string>((resolve) => {
      worker.addEventListener("message", ({ data }) => data === "stopped" && resolve("stopped"));
    });
    const outcome = await Promise.race([stopped, put(dying, after).then(() => "done")]);
    names.delete(dying);
    worker.terminate();
    expect(outcome).toBe(point < 4 ? "stopped" : "done");
    const found = await contents(witness);
    expect([before, after]).toContainEqual(found);
    seen.add(JSON.stringify(found));
  }
  expect(seen.size).toBe(2);
});

test("a folder cleared by the browser is an empty store, and works on", async () => {
  const store = await open({ name: fresh() });
  await store.put(one, strict);
  await shared?.remove(names.get(store) ?? "", false);
  await store.put([{ key: "b", value: Uint8Array.of(2) }], strict);
  expect(await store.get("a")).toBeUndefined();
  expect(await store.keys("")).toEqual(["b"]);
});

test("a lock that another tab keeps is a DeadlineError", async () => {
  const name = fresh();
  const store = await open({ name });
  await store.put(one, relaxed);
  let release = (): void => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  let granted = (): void => {};
  const isHeld = new Promise<void>((resolve) => (granted = resolve));
  const lock = navigator.locks.request(`hearth store ${name}`, () => (granted(), held));
  await isHeld;
  await expect(store.put(one, relaxed)).rejects.toThrow(DeadlineError);
  release();
  await lock;
  await store.put(one, relaxed);
});

function put(store: Store, values: Record<string, number[]>): Promise<void> {
  const entries = Object.entries(values).map(([key, value]) => ({ key, value: Uint8Array.from(value) }));
  return store.put(entries, strict);
}

async function contents(store: Store): Promise<Record<string, number[]>> {
  const out: Record<string, number[]> = {};
  for (const key of await store.keys("")) out[key] = [...((await store.get(key)) ?? [])];
  return out;
}
