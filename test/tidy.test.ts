/** The repository keeps its layers; and the rules that say so find what they are for. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { findViolations } from "./tidy/rules.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

test("the repository is tidy", () => {
  expect(findViolations(root).map(({ rule, at, what }) => `${rule}: ${at}: ${what}`)).toEqual([]);
}, 120_000);

/** A small repository in which nothing is wrong. */
const TIDY: Readonly<Record<string, string>> = {
  "package.json": JSON.stringify({
    name: "hearth",
    exports: { ".": "./src/index.ts", "./swarm": "./src/swarm.ts" },
    scripts: { bench: "tsx bench/main.ts", build: "vite build app" },
  }),
  "src/index.ts": `export { a } from "./base/a.ts"; export { run } from "./compute/runtime/run.ts";`,
  "src/swarm.ts": `export { a } from "./base/a.ts"; import "./host/browser/page.ts"; import "./training/save.ts";`,
  "src/base/a.ts": `export const a = 1;`,
  "src/base/clock.ts": `export const now = () => performance.now() + Date.now(); setTimeout(() => {}, 1);`,
  "src/base/errors.ts": `export class HearthError extends Error {}`,
  "src/compute/device/device.ts": `import { a } from "../../base/a.ts"; export const device = a;`,
  "src/compute/compiler/ir.ts": `export const ir = 1;`,
  "src/compute/runtime/run.ts": `import "../device/device.ts"; import "../compiler/ir.ts"; export const run = 1;`,
  "src/network/wire/messages.ts": `import type { Link } from "../transport/link.ts"; export type M = Link; export const m = 1;`,
  "src/network/transport/link.ts": `import { m } from "../wire/messages.ts"; export interface Link { m: typeof m }`,
  "src/storage/store.ts": `export const store = 1;`,
  "src/training/coordinator/state.ts": `import { m } from "../../network/wire/messages.ts"; import type { Link } from "../../network/transport/link.ts"; export const s: [Link | null, number] = [null, m];`,
  "src/training/save.ts": `import "./coordinator/state.ts"; import "../storage/store.ts"; import { HearthError } from "../base/errors.ts"; throw new HearthError();`,
  "src/host/browser/page.ts": `import { now } from "../../base/clock.ts"; void fetch(String(now() + Math.random())); new Worker(new URL("./worker.ts", import.meta.url));`,
  "src/host/browser/worker.ts": `import "idb"; import "../../training/save.ts";`,
  "app/index.html": `<script type="module" src="./main.ts"></script>`,
  "app/main.ts": `import { a } from "hearth"; import run from "../examples/run.ts"; import { html } from "lit"; Date.now(); throw new Error(String([a, run, html]));`,
  "examples/run.ts": `import { a } from "hearth/swarm"; export default a;`,
  "signaling-server/main.ts": `import "../src/training/coordinator/state.ts"; import "../src/base/a.ts"; import "node:fs"; setInterval(() => {}, 1);`,
  "bench/main.ts": `import "../src/compute/device/device.ts";`,
  "tools/start.ts": `import "../signaling-server/main.ts";`,
  "test/a.test.ts": `import "../src/storage/store.ts"; import "./helper.ts";`,
  "test/helper.ts": `export const helper = new Error("free");`,
};

/** What the rules find in the tidy repository with `files` added or replaced. */
function plant(files: Readonly<Record<string, string>>): string[] {
  const folder = mkdtempSync(join(tmpdir(), "hearth-tidy-"));
  try {
    for (const [path, text] of Object.entries({ ...TIDY, ...files })) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    return findViolations(folder).map(({ rule, at, what }) => `${rule}: ${at}: ${what}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The tidy file at `path` with `text` behind it, on a line of its own. */
function plus(path: string, text: string): Record<string, string> {
  return { [path]: `${TIDY[path] ?? ""}\n${text}` };
}

test("a tidy repository has nothing that the rules object to", () => {
  expect(plant({})).toEqual([]);
});

for (const [from, text, what] of [
  ["src/base/a.ts", `import "../storage/store.ts";`, "src/base may not import src/storage/store.ts"],
  ["src/base/a.ts", `import type { X } from "../index.ts";`, "src/base may not import src/index.ts"],
  ["src/base/a.ts", `export type Y = import("../storage/store.ts").X;`, "src/base may not import src/storage/store.ts"],
  [
    "src/compute/compiler/ir.ts",
    `import type { D } from "../device/device.ts";`,
    "src/compute/compiler may not import src/compute/device/device.ts",
  ],
  [
    "src/compute/device/device.ts",
    `export * from "../compiler/ir.ts";`,
    "src/compute/device may not import src/compute/compiler/ir.ts",
  ],
  [
    "src/storage/store.ts",
    `void import("../network/wire/messages.ts");`,
    "src/storage may not import src/network/wire/messages.ts",
  ],
  [
    "src/network/wire/messages.ts",
    `import "../../compute/runtime/run.ts";`,
    "src/network may not import src/compute/runtime/run.ts",
  ],
  [
    "src/training/coordinator/state.ts",
    `import "../save.ts";`,
    "src/training/coordinator may not import src/training/save.ts",
  ],
  [
    "src/training/coordinator/state.ts",
    `import { l } from "../../network/transport/link.ts";`,
    "src/training/coordinator may not import src/network/transport/link.ts",
  ],
  ["src/training/save.ts", `import "../host/browser/page.ts";`, "src/training may not import src/host/browser/page.ts"],
  ["src/host/browser/page.ts", `import "../../../app/main.ts";`, "src/host may not import app/main.ts"],
  ["src/host/browser/page.ts", `import "hearth";`, `src/host may not import "hearth"`],
  [
    "src/host/browser/page.ts",
    `new Worker(new URL("../../../tools/start.ts", import.meta.url));`,
    "src/host may not import tools/start.ts",
  ],
  ["app/main.ts", `import "../src/base/a.ts";`, "app may not import src/base/a.ts"],
  ["app/main.ts", `import "hearth/storage";`, `"hearth/storage" is no public entry`],
  ["examples/run.ts", `import "../app/main.ts";`, "examples may not import app/main.ts"],
  [
    "signaling-server/main.ts",
    `import "../src/network/transport/link.ts";`,
    "signaling-server may not import src/network/transport/link.ts",
  ],
  [
    "signaling-server/main.ts",
    `import type { S } from "../src/training/save.ts";`,
    "signaling-server may not import src/training/save.ts",
  ],
] as const) {
  test(`a forbidden import is found: ${from}: ${text}`, () => {
    const lines = (TIDY[from] ?? "").split("\n").length + 1;
    expect(plant(plus(from, text))).toContain(`layer: ${from}:${lines}: ${what}`);
  });
}

test("a folder that the table does not name is found", () => {
  const files = { "src/extra/x.ts": "export const x = 1;", ...plus("src/index.ts", `import "./extra/x.ts";`) };
  expect(plant(files)).toEqual(["layer: src/extra/x.ts: belongs to no layer"]);
});

test("files that import one another in a circle are found, and types alone make no circle", () => {
  const circle = {
    ...plus("src/base/a.ts", `import "./b.ts";`),
    "src/base/b.ts": `import "./c.ts";`,
    "src/base/c.ts": `import { a } from "./a.ts"; export const c = a;`,
  };
  const [found, ...others] = plant(circle);
  expect(found).toMatch(/^cycle: src\/base\/[abc]\.ts: imported in a circle: /);
  expect(found?.match(/src\/base\/[abc]\.ts/g)).toHaveLength(4);
  expect(others).toEqual([]);
  expect(plant({ ...circle, "src/base/c.ts": `import type { a } from "./a.ts"; export type C = typeof a;` })).toEqual(
    [],
  );
});

test("an internal barrel is found, by its name and by what it does", () => {
  expect(
    plant({ "src/base/index.ts": "export const x = 1;", ...plus("src/index.ts", `import "./base/index.ts";`) }),
  ).toEqual(["barrel: src/base/index.ts: a file that only passes others on"]);
  expect(
    plant({ "src/base/all.ts": `export * from "./a.ts";`, ...plus("src/index.ts", `import "./base/all.ts";`) }),
  ).toEqual(["barrel: src/base/all.ts: a file that only passes others on"]);
});

test("a file that nothing leads to is found, even where another such file imports it", () => {
  const files = {
    "src/base/lone.ts": `import "./lonely.ts";`,
    "src/base/lonely.ts": "export const x = 1;",
    "test/idle.ts": "",
  };
  expect(plant(files).sort()).toEqual([
    "unused-file: src/base/lone.ts: nothing imports it",
    "unused-file: src/base/lonely.ts: nothing imports it",
    "unused-file: test/idle.ts: nothing imports it",
  ]);
});

test("a file that a test starts by its path is in use, and one that a comment names is not", () => {
  const files = {
    "test/b.test.ts": `spawn(join(here, "started.ts")); // "idle.ts"`,
    "test/started.ts": "",
    "test/idle.ts": "",
  };
  expect(plant(files)).toEqual(["unused-file: test/idle.ts: nothing imports it"]);
});

for (const use of [
  "Date.now()",
  "new Date()",
  "Math.random()",
  "performance.now()",
  "globalThis.performance.now()",
  "setTimeout(() => {}, 1)",
  "self.setInterval(() => {}, 1)",
  "fetch('/x')",
  "[1].map(globalThis.fetch)",
  "crypto.randomUUID()",
]) {
  test(`a use of the platform outside host is found: ${use}`, () => {
    const found = plant(plus("src/training/save.ts", `export const x = ${use};`));
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(/^platform: src\/training\/save\.ts:2: /);
  });
}

test("a clock, a date or a fetch that was handed over is no use of the platform", () => {
  const text = `
    export const f = (clock: { now(): number }, fetch: (u: string) => void, at: number) => { clock.now(); fetch("/x"); return new Date(at); };
    export interface Source { fetch(url: string): void; setTimeout: number }
    export type F = typeof globalThis.fetch;
    export const g = (source: Source) => source.fetch("/x");`;
  expect(plant(plus("src/training/save.ts", text))).toEqual([]);
});

test("a bare Error in src is found, thrown or not, with new or without", () => {
  const text = `export const x = [new Error("x"), Error("y"), () => { throw new TypeError("z"); }, new AggregateError([])];`;
  expect(plant(plus("src/host/browser/page.ts", text))).toEqual([
    "bare-error: src/host/browser/page.ts:2: Error",
    "bare-error: src/host/browser/page.ts:2: Error",
    "bare-error: src/host/browser/page.ts:2: TypeError",
  ]);
});
