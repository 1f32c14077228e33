/** axe-core finds nothing to complain about, on any page, in both colour schemes, one on a phone and one on a desk. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startApp } from "./support/app-under-test.ts";
import type { AppUnderTest } from "./support/app-under-test.ts";
import { inspected } from "./support/inspected.ts";
import { showView } from "./support/show-view.ts";
import { trainingView } from "./support/views.ts";

let app: AppUnderTest;
let axe: string;
beforeAll(async () => {
  axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  app = await startApp();
}, 60_000);
afterAll(() => app.close());

/** What axe finds, as lines that name the rule and the places; it must have seen the text inside the shadow roots. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const result = (await page.evaluate("axe.run(document, { resultTypes: ['violations', 'passes'] })")) as AxeResults;
  const read = result.passes.find(({ id }) => id === "color-contrast")?.nodes ?? [];
  expect(read.filter(({ target }) => Array.isArray(target[0])).length).toBeGreaterThan(0);
  return result.violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(" ")).join("; ")}`);
}

const screens = [
  { width: 360, colorScheme: "light" },
  { width: 1280, colorScheme: "dark" },
] as const;

for (const { width, colorScheme } of screens) {
  // Reduced motion: contrast is measured on what stays, not on something fading in.
  const options = { colorScheme, viewport: { width, height: 800 }, reducedMotion: "reduce" } as const;

  test(`the start page has no violations and fits, ${width} px ${colorScheme}`, async () => {
    const { page, trouble } = await app.open("/", options);
    await page.getByText("Options", { exact: true }).click();
    expect(await violations(page)).toEqual([]);
    expect(await sidewaysPx(page)).toBeLessThanOrEqual(0);
    expect(trouble).toEqual([]);
    await page.context().close();
  });

  test(`a room in training has no violations and fits, ${width} px ${colorScheme}`, async () => {
    const { page, trouble } = await app.open("/room/fake-room-1", options);
    await showView(page, trainingView(30, 4));
    const engine = { kind: "reference", name: "CPU", reason: "This browser offers no WebGPU." };
    await showView(page, trainingView(190, 14, { engine, problem: "The disk is full.", needsFile: "hamlet.txt" }));
    await page.getByText("What it wrote earlier").click();
    await page.getByText("And 2 more").click();
    await page.getByRole("button", { name: "Set" }).click();
    expect(await violations(page)).toEqual([]);
    expect(await sidewaysPx(page)).toBeLessThanOrEqual(0);
    expect(trouble).toEqual([]);
    await page.context().close();
  });

  test(`a room that does not exist has no violations, ${width} px ${colorScheme}`, async () => {
    const { page } = await app.open("/room/fake-room-1", options);
    const problem = "There is no such room.";
    await showView(page, trainingView(0, 0, { phase: "stopped", note: "Refused.", spec: null, problem }));
    expect(await violations(page)).toEqual([]);
    await page.context().close();
  });

  test(`a step looked into has no violations and fits, ${width} px ${colorScheme}`, { timeout: 60_000 }, async () => {
    const { page, trouble } = await app.open("/inspect?device=wasm", options);
    await inspected(page);
    await page.locator("kernel-list tbody button").nth(1).click();
    await page.getByLabel("Search the graph").fill("add");
    await page.getByLabel("Search the graph").press("Enter");
    await page.locator("kernel-graph .node").waitFor();
    await page.getByRole("button", { name: "Show as text" }).click();
    await page.getByLabel("The step as text").waitFor();
    expect(await violations(page)).toEqual([]);
    expect(await sidewaysPx(page)).toBeLessThanOrEqual(0);
    expect(trouble).toEqual([]);
    await page.context().close();
  });
}

/** How far the page can be scrolled to the side. */
function sidewaysPx(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}
