/** What a visitor downloads before training starts: light, and without the stack that the engine worker runs on. */
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import type { Rolldown } from "vite";
import { build } from "vite";
import { beforeAll, expect, test } from "vitest";
import { emptyEngine } from "./support/empty-engine.ts";

const APP = resolve(import.meta.dirname, "../../app");
/** Lit, uPlot, PeerJS and the pages came to 90 kB when this was written; a fifth more is worth a look. */
const GZIP_BYTES_MAX = 116_000;
const OF_THE_ENGINE = /\/src\/(compute|model|training|storage|network\/collectives)\//;

let chunks: Rolldown.OutputChunk[];
let assets: Rolldown.OutputAsset[];
beforeAll(async () => {
  process.env["NODE_ENV"] = "production";
  const result = await build({
    configFile: join(APP, "vite.config.ts"),
    logLevel: "error",
    plugins: [emptyEngine],
    worker: { plugins: () => [emptyEngine] },
    build: { write: false },
  });
  const { output } = result as Rolldown.RolldownOutput;
  chunks = output.filter((part) => part.type === "chunk");
  assets = output.filter((part) => part.type === "asset");
}, 60_000);

test("the page carries nothing of the engine", () => {
  const carried = chunks.flatMap((chunk) =>
    Object.entries(chunk.modules).filter(([, { renderedLength }]) => renderedLength > 0),
  );
  expect(carried.length).toBeGreaterThan(20);
  expect(carried.map(([name]) => name).filter((name) => OF_THE_ENGINE.test(name))).toEqual([]);
});

test("all chunks of the page together stay under 116 kB, compressed", () => {
  const bytes = chunks.reduce((sum, chunk) => sum + gzipSync(chunk.code).byteLength, 0);
  expect(bytes).toBeGreaterThan(20_000);
  expect(bytes).toBeLessThan(GZIP_BYTES_MAX);
});

test("the default text is this project's own source, in the order of its paths", () => {
  const text = String(assets.find(({ fileName }) => fileName === "own-source.txt")?.source);
  expect(text.length).toBeGreaterThan(100_000);
  expect(text.indexOf("A small GPT that learns to write")).toBeLessThan(text.indexOf("export class InvariantError"));
});
