/** What a tab without a fast GPU downloads on top of the others. */
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import type { Rolldown } from "vite";
import { build } from "vite";
import { expect, test } from "vitest";
import { present } from "../../src/base/assert.ts";

const ROOT = resolve(import.meta.dirname, "../..");
/** The printer, the device and its threads came to 21 kB when this was written. */
const GZIP_BYTES_MAX = 60_000;
const OF_WEBASSEMBLY = /\/src\/compute\/(lang|device)\/wasm\//;

test("WebAssembly is fetched by those who need it, and is under 60 kB, compressed", { timeout: 60_000 }, async () => {
  process.env["NODE_ENV"] = "production";
  const result = await build({
    configFile: join(ROOT, "app/vite.config.ts"),
    logLevel: "error",
    build: {
      write: false,
      rolldownOptions: { input: join(ROOT, "src/host/browser/open-device.ts"), preserveEntrySignatures: "strict" },
    },
  });
  const { output } = result as Rolldown.RolldownOutput;
  const chunks = output.filter((part) => part.type === "chunk");
  const loadedWith = (chunk: Rolldown.OutputChunk, seen = new Set<Rolldown.OutputChunk>()): typeof seen => {
    if (seen.has(chunk)) return seen;
    seen.add(chunk);
    for (const name of chunk.imports) loadedWith(chunkOf(name), seen);
    return seen;
  };
  const chunkOf = (name: string): Rolldown.OutputChunk =>
    present(
      chunks.find(({ fileName }) => fileName === name),
      name,
    );
  const isOfWebAssembly = (chunk: Rolldown.OutputChunk): boolean =>
    Object.entries(chunk.modules).some(([name, { renderedLength }]) => renderedLength > 0 && OF_WEBASSEMBLY.test(name));
  const page = loadedWith(
    present(
      chunks.find(({ isEntry }) => isEntry),
      "the entry",
    ),
  );
  const device = present(
    chunks.find(({ name }) => name === "open-wasm-device"),
    "the device's chunk",
  );
  expect([...page].filter(isOfWebAssembly)).toEqual([]);
  const added = [...loadedWith(device)].filter((chunk) => !page.has(chunk));
  const threads = output.filter((part) => part.type === "asset" && part.fileName.includes("wasm-thread"));
  expect(threads).toHaveLength(1);
  const texts = [...added.map(({ code }) => code), ...threads.map((part) => ("source" in part ? part.source : ""))];
  const bytes = texts.reduce((sum, text) => sum + gzipSync(text).byteLength, 0);
  expect(bytes).toBeGreaterThan(10_000);
  expect(bytes).toBeLessThan(GZIP_BYTES_MAX);
});
