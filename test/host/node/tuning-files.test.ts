import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { QuotaError } from "../../../src/base/errors.ts";
import { tuningFiles } from "../../../src/host/node/tuning-files.ts";
import { tableOf } from "../../compute/runtime/tuning-table.ts";
import { tuningStoreSuite } from "../tuning-store-suite.ts";

const parent = mkdtempSync(join(tmpdir(), "hearth-tuning-"));
afterAll(() => rmSync(parent, { recursive: true }));

let folder = "";
let count = 0;

tuningStoreSuite("tuning files", {
  open: async () => {
    folder = join(parent, String(count++), "tuning");
    return tuningFiles(folder);
  },
  reopen: async () => tuningFiles(folder),
  corrupt: async (bytes) => {
    for (const name of readdirSync(folder)) writeFileSync(join(folder, name), bytes);
  },
});

test("nothing but whole tables is left in the folder", async () => {
  folder = join(parent, String(count++));
  const store = tuningFiles(folder);
  for (const adapter of ["a", "b", "a"]) await store.save(adapter, tableOf());
  expect(readdirSync(folder).filter((name) => name.endsWith(".json"))).toHaveLength(2);
  expect(readdirSync(folder)).toHaveLength(2);
});

test("a disk that refuses is a QuotaError, and loading from it gives nothing", async () => {
  const file = join(parent, "file");
  writeFileSync(file, "");
  const store = tuningFiles(join(file, "tuning"));
  expect((await store.load("a")).size).toBe(0);
  await expect(store.save("a", tableOf())).rejects.toThrow(QuotaError);
});
