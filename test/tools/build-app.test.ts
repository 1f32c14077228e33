import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildApp } from "../../tools/build-app.ts";

let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "hearth-build-"));
  await mkdir(join(root, "app"));
  await mkdir(join(root, "node_modules"));
  await writeFile(join(root, "package.json"), '{"type":"module"}');
  await writeFile(join(root, "app", "vite.config.ts"), "export default {};");
  await writeFile(join(root, "app", "index.html"), '<script type="module" src="./main.js"></script>');
  await writeFile(join(root, "app", "main.js"), 'console.log("first")');
});

afterAll(() => rm(root, { recursive: true }));

/** All that the built scripts say. */
async function built(): Promise<string> {
  const assets = join(root, "dist", "assets");
  const texts = await Promise.all((await readdir(assets)).map((name) => readFile(join(assets, name), "utf8")));
  return texts.join("\n");
}

/** Dates are set, not waited for: file systems differ in how finely they keep them. */
async function touch(path: string, secondsFromNow: number): Promise<void> {
  const date = new Date(Date.now() + secondsFromNow * 1000);
  await utimes(path, date, date);
}

test("the app is built when it is missing, left alone when it is fresh, built again when a source is newer", async () => {
  expect(await buildApp(root)).toBe(join(root, "dist"));
  expect(await built()).toContain("first");
  await writeFile(join(root, "dist", "mark"), "");
  await buildApp(root);
  expect(await readdir(join(root, "dist"))).toContain("mark");
  await writeFile(join(root, "app", "main.js"), 'console.log("second")');
  await touch(join(root, "app", "main.js"), 60);
  await buildApp(root);
  expect(await built()).toContain("second");
  expect(await readdir(join(root, "dist"))).not.toContain("mark");
});

test("two builds at once both succeed, a failed one leaves what was there, and none leaves anything behind", async () => {
  await touch(join(root, "app", "main.js"), 120);
  await Promise.all([buildApp(root), buildApp(root)]);
  expect(await built()).toContain("second");
  await writeFile(join(root, "app", "main.js"), "import './missing.js'");
  await touch(join(root, "app", "main.js"), 240);
  await expect(buildApp(root)).rejects.toThrow("missing.js");
  expect(await built()).toContain("second");
  expect((await readdir(root)).sort()).toEqual(["app", "dist", "node_modules", "package.json"]);
  expect((await readdir(join(root, "node_modules"))).filter((name) => name.startsWith(".dist"))).toEqual([]);
});
