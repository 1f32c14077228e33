import * as nodeFiles from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { QuotaError } from "../../../src/base/errors.ts";
import { FileSystemStore } from "../../../src/storage/file-system/file-system-store.ts";
import type { Files } from "../../../src/storage/file-system/file-system-store.ts";
import type { Store } from "../../../src/storage/store.ts";
import { storeSuite } from "../store-suite.ts";

const root = await nodeFiles.mkdtemp(join(tmpdir(), "hearth-store-"));
const directories = new Map<Store, string>();
let count = 0;

afterAll(() => nodeFiles.rm(root, { recursive: true }));

function fresh(): string {
  return join(root, `store-${count++}`, "nested");
}

function open(directory: string, files?: Files): FileSystemStore {
  const store = new FileSystemStore(directory, files);
  directories.set(store, directory);
  return store;
}

storeSuite("FileSystemStore", {
  open: async () => open(fresh()),
  reopen: async (store) => open(directories.get(store) ?? ""),
  openSmall: async () => ({ store: open(fresh(), smallDisk(1024 * 1024)), end: async () => {} }),
});

/** The real file system, where `before` looks at every call and may throw. */
function watched(
  before: (call: string, path: string) => void,
  bytesWritten: (bytes: number) => void = () => {},
): Files {
  return new Proxy(nodeFiles, {
    get(target, name, receiver) {
      if (name === "open") {
        return async (path: string, flags: string) => {
          before("open", path);
          const handle = await target.open(path, flags);
          const writeFile = handle.writeFile.bind(handle);
          handle.writeFile = async (data) => {
            before("write", path);
            bytesWritten((data as Uint8Array).byteLength);
            await writeFile(data);
          };
          return handle;
        };
      }
      const method = Reflect.get(target, name, receiver) as (...args: unknown[]) => unknown;
      return (...args: unknown[]) => {
        before(String(name), String(args[0]));
        return method(...args);
      };
    },
  });
}

/** A disk that is full after so many bytes, freed ones not counted. */
function smallDisk(bytesMax: number): Files {
  let used = 0;
  return watched(
    () => {},
    (bytes) => {
      if (used + bytes > bytesMax)
        throw Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
      used += bytes;
    },
  );
}

class Killed extends Error {}

test("a put of three entries is whole or absent wherever its process is killed, and no temporary file stays", async () => {
  const before = { a: [1], b: [1] };
  const after = { a: [2], b: [2], c: [2] };
  const seen = new Set<string>();
  for (let point = 0; ; point++) {
    const directory = fresh();
    let calls = Number.NEGATIVE_INFINITY;
    const dying = open(
      directory,
      watched(() => {
        if (calls++ >= point) throw new Killed();
      }),
    );
    await put(dying, before);
    calls = 0;
    const outcome = await put(dying, after).then(
      () => "done",
      () => "killed",
    );
    dying.close();
    const found = await contents(open(directory));
    expect([before, after]).toContainEqual(found);
    seen.add(JSON.stringify(found));
    expect((await nodeFiles.readdir(directory)).filter((name) => name.startsWith("#"))).toEqual([]);
    if (outcome === "done") {
      expect(point).toBeGreaterThan(10);
      expect(found).toEqual(after);
      break;
    }
  }
  expect(seen.size).toBe(2);
});

test("a put that breaks off between its renames is finished before the next operation of the same store", async () => {
  let renames = Number.NEGATIVE_INFINITY;
  const store = open(
    fresh(),
    watched((call) => {
      if (call === "rename" && renames++ === 2) throw new Killed();
    }),
  );
  await put(store, { a: [1], b: [1] });
  renames = 0;
  await expect(put(store, { a: [2], b: [2] })).rejects.toThrow(QuotaError);
  expect(await contents(store)).toEqual({ a: [2], b: [2] });
  await put(store, { b: [3] });
  expect(await contents(open(directories.get(store) ?? ""))).toEqual({ a: [2], b: [3] });
});

test("a journal torn by a power cut does not keep the directory from opening", async () => {
  const directory = fresh();
  await put(open(directory), { a: [1] });
  await nodeFiles.writeFile(join(directory, "#journal-7"), '[["#1-0","a');
  await nodeFiles.writeFile(join(directory, "#1-0"), "half");
  expect(await contents(open(directory))).toEqual({ a: [1] });
});

test("a strict put syncs its files before they get their names, and a relaxed one syncs nothing", async () => {
  const directory = fresh();
  const calls: string[] = [];
  const files = watched((call) => void calls.push(call));
  const tracing: Files = new Proxy(files, {
    get(target, name, receiver) {
      if (name !== "open") return Reflect.get(target, name, receiver) as unknown;
      return async (path: string, flags: string) => {
        const handle = await target.open(path, flags);
        const sync = handle.sync.bind(handle);
        handle.sync = () => {
          calls.push("sync");
          return sync();
        };
        return handle;
      };
    },
  });
  const store = open(directory, tracing);
  await store.keys("");
  calls.length = 0;
  await store.put([{ key: "a", value: Uint8Array.of(1) }], { durability: "strict" });
  expect(calls).toEqual(["open", "write", "sync", "rename", "open", "sync"]);
  calls.length = 0;
  await store.put([{ key: "a", value: Uint8Array.of(1) }], { durability: "relaxed" });
  expect(calls).toEqual(["open", "write", "rename"]);
});

test("a directory that cannot be made is a QuotaError that names it", async () => {
  const file = join(root, "a-file");
  await nodeFiles.writeFile(file, "");
  const store = open(join(file, "below"));
  await expect(store.get("a")).rejects.toThrow(/below/);
  await expect(put(store, { a: [1] })).rejects.toThrow(QuotaError);
});

function put(store: Store, values: Record<string, number[]>): Promise<void> {
  const entries = Object.entries(values).map(([key, value]) => ({ key, value: Uint8Array.from(value) }));
  return store.put(entries, { durability: "strict" });
}

async function contents(store: Store): Promise<Record<string, number[]>> {
  const out: Record<string, number[]> = {};
  for (const key of await store.keys("")) out[key] = [...((await store.get(key)) ?? [])];
  return out;
}
