/** Every example of the documentation runs on the reference device, prints what its comments say, and has right types. */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";
import { setDefaultRuntime } from "../../src/index.ts";
import { openRuntime } from "../../src/node.ts";
import { pageOf, readPages } from "./pages.ts";
import type { Page } from "./pages.ts";
import { listener } from "./say.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const pages = readPages(root);
// In the repository, so that "hearth" is the package at hand, where neither git nor other tests look.
const parent = join(root, ".hearth/examples");
mkdirSync(parent, { recursive: true });
const folder = mkdtempSync(join(parent, "pages-"));
const { runtime, close } = await openRuntime("reference");
afterAll(() => {
  close();
  rmSync(folder, { recursive: true });
});

const fileOf = ({ path }: Page): string => join(folder, `${basename(path, ".md")}-${dirname(path).length}.ts`);
for (const page of pages) writeFileSync(fileOf(page), page.source);

/** Runs a page's examples; errors name the page and the line. */
async function run(page: Page): Promise<string[]> {
  setDefaultRuntime(runtime);
  listener.take();
  try {
    await import(/* @vite-ignore */ pathToFileURL(fileOf(page)).href);
  } catch (cause) {
    const stack = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
    const [, line = "?"] = new RegExp(`${basename(fileOf(page))}:(\\d+)`).exec(stack) ?? [];
    throw new Error(`${page.path}:${line}: ${stack}`, { cause });
  }
  return listener.take().map(({ line, text }) => `${page.path}:${line}: ${text}`);
}

test.each(pages.map((page) => [page.path, page] as const))("the examples of %s do what they say", async (_, page) => {
  const wanted = [...page.expected].map(([line, text]) => `${page.path}:${line}: ${text}`);
  expect(await run(page)).toEqual(wanted);
});

test("the examples of all pages have right types", async () => {
  const config = {
    extends: join(root, "tsconfig.json"),
    compilerOptions: { declaration: false, isolatedDeclarations: false },
    include: ["./*.ts"],
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  const found = await promisify(execFile)(process.execPath, [compiler, "-p", folder, "--pretty", "false"]).then(
    ({ stdout }) => stdout,
    (error: unknown) => (error as { stdout?: string }).stdout ?? String(error),
  );
  const ofPages = found.split("\n").filter((line) => line.includes(basename(folder)));
  const names = new Map(pages.map((page) => [basename(fileOf(page)), page.path]));
  expect(ofPages.map((line) => line.replace(/^.*?([^/]+\.ts)/, (_, name: string) => names.get(name) ?? name))).toEqual(
    [],
  );
}, 120_000);

test("the links of all pages lead to files that are there", () => {
  const broken = pages.flatMap(({ path, text }) =>
    [...text.matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target = ""]) => target.replace(/#.*$/, ""))
      .filter((target) => target !== "" && !/^[a-z]+:/.test(target))
      .filter((target) => !existsSync(join(root, dirname(path), target)))
      .map((target) => `${path}: ${target}`),
  );
  expect(broken).toEqual([]);
});

test("an example that prints without saying what is found, with its line", () => {
  expect(() => pageOf("a.md", "# A\n\n```ts\nconsole.log(1);\n```\n")).toThrow(/a\.md:4/);
  expect(pageOf("a.md", "# A\n\n```ts\nconsole.log(1); // 1\n```\n").expected).toEqual(new Map([[4, "1"]]));
});
