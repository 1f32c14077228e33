/** `<hearth-memory>` on a page that has nothing else of hearth. */
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { MemorySnapshot } from "../../../../src/compute/memory/snapshot.ts";
import { summarizeMemory } from "../../../../src/training/summarize-memory.ts";
import { startApp } from "../../../app/support/app-under-test.ts";
import type { AppUnderTest } from "../../../app/support/app-under-test.ts";
import { longestTaskMs } from "../../../app/support/longest-task.ts";
import { fakeSnapshot } from "../../../app/support/memories.ts";

let site: AppUnderTest;
beforeAll(async () => {
  site = await startApp(join(import.meta.dirname, "own-page"));
}, 60_000);
afterAll(() => site.close());

async function withMemory(
  snapshot: MemorySnapshot,
  body: (memory: Locator, page: Page) => Promise<void>,
  options: Parameters<AppUnderTest["open"]>[1] = {},
): Promise<void> {
  const { page, trouble } = await site.open("/", options);
  await page.waitForFunction(() => customElements.get("hearth-memory") !== undefined);
  await show(page, snapshot);
  await body(page.locator("hearth-memory"), page);
  expect(trouble).toEqual([]);
  await page.context().close();
}

async function show(page: Page, snapshot: MemorySnapshot, compact = false): Promise<void> {
  await page.locator("hearth-memory").evaluate(
    async (host, shown) => {
      Object.assign(host, shown);
      await (host as unknown as { updateComplete: Promise<boolean> }).updateComplete;
    },
    { memory: summarizeMemory(snapshot), compact },
  );
}

const fills = (memory: Locator): Promise<string[]> =>
  memory
    .locator("path")
    .evaluateAll((paths) => paths.map((path) => `${path.getAttribute("class")} ${getComputedStyle(path).fill}`));

test("every slab is drawn apart, with a colour for each use and a cell for each page", () =>
  withMemory(fakeSnapshot([64, 32, 16]), async (memory) => {
    expect(await memory.locator("svg").count()).toBe(3);
    const cells = await memory
      .locator("path")
      .evaluateAll((paths) => paths.map((path) => (path.getAttribute("d") ?? "").split("M").length - 1));
    expect(cells.reduce((sum, count) => sum + count, 0)).toBe(64 + 32 + 16);
    const colors = new Map((await fills(memory)).map((fill) => [fill.split(" ")[0], fill]));
    expect(colors.size).toBe(8);
    expect(new Set([...colors.values()].map((fill) => fill.slice(fill.indexOf(" ")))).size).toBe(8);
  }));

test("the map is told in a sentence, the legend is a list, and the figures stand beside it", () =>
  withMemory(fakeSnapshot([64, 32]), async (memory) => {
    const label = await memory.locator("[role=img]").getAttribute("aria-label");
    expect(label).toMatch(/^Page map of 2 slabs: parameters [\d.]+ MiB, .*, free [\d.]+ MiB\.$/);
    const legend = await memory.getByRole("list", { name: "Memory by use" }).getByRole("listitem").allInnerTexts();
    expect(legend).toHaveLength(8);
    const text = (await memory.evaluate((host) => host.shadowRoot?.textContent ?? "")).replace(/\s+/g, " ");
    expect(text).toContain("24.0 MiB taken, of a budget of 30.0 MiB");
    expect(text).toContain("1.07 times the least possible");
    expect(text).toContain("Fragmentation 12 %");
    expect(text).toContain("2 caches dropped, 5 kernels run again");
    expect(text).toContain("Devices lost 1");
  }));

test("colours follow the scheme, and a page can set each of them", () =>
  withMemory(
    fakeSnapshot([32]),
    async (memory, page) => {
      await memory.evaluate((host) => (host.style.colorScheme = "light dark"));
      const light = await fills(memory);
      await page.emulateMedia({ colorScheme: "dark" });
      const dark = await fills(memory);
      expect(light.filter((fill, at) => fill === dark[at])).toEqual([]);
      await memory.evaluate((host) => host.style.setProperty("--hearth-memory-gradients", "rgb(1, 2, 3)"));
      expect(await fills(memory)).toContain("gradients rgb(1, 2, 3)");
    },
    { colorScheme: "light" },
  ));

test("the map follows the width it is given, cells staying square and of one size", () =>
  withMemory(fakeSnapshot([64, 8]), async (memory, page) => {
    const cellPx = (at: number, columns: number): Promise<number> =>
      memory
        .locator("svg")
        .nth(at)
        .evaluate((svg, count) => svg.getBoundingClientRect().width / count, columns);
    for (const width of [1_200, 360]) {
      await page.setViewportSize({ width, height: 800 });
      const [large, small] = [await cellPx(0, 32), await cellPx(1, 8)];
      expect(large).toBeGreaterThan((width - 60) / 32);
      // Both have the slab's edge in it, 6 px, which the smaller one spreads over fewer cells.
      expect(Math.abs(large - small)).toBeLessThan(1);
    }
  }));

test("compact, it is the map and one line", () =>
  withMemory(fakeSnapshot([64]), async (memory, page) => {
    await show(page, fakeSnapshot([64]), true);
    expect(await memory.locator("[role=img]").count()).toBe(1);
    expect(await memory.locator("dl, ul, .bar").count()).toBe(0);
    expect((await memory.locator("p").innerText()).trim()).toMatch(/^[\d.]+ MiB of 20\.0 MiB$/);
  }));

test("nothing taken yet, and nothing short, is said in words", () =>
  withMemory(fakeSnapshot([]), async (memory, page) => {
    expect(await memory.locator(".none").innerText()).toBe("No memory is taken.");
    const none = { cachesDropped: 0, recomputed: 0, offloaded: 0, reloaded: 0, microBatched: 0 };
    await show(page, fakeSnapshot([16], 1, { budgetBytes: null, pressure: none }));
    expect(await memory.locator(".pressure, .budget").count()).toBe(0);
    expect(await memory.locator(".use").innerText()).toContain("no budget");
  }));

test("bars move only for those who want motion", () =>
  withMemory(
    fakeSnapshot([16]),
    async (memory, page) => {
      const bar = memory.locator(".bar i").first();
      const duration = (): Promise<string> => bar.evaluate((part) => getComputedStyle(part).transitionProperty);
      expect(await duration()).toBe("none");
      await page.emulateMedia({ reducedMotion: "no-preference" });
      expect(await duration()).toBe("width");
    },
    { reducedMotion: "reduce" },
  ));

test("a full map is drawn in tasks of under 50 ms, four times a second at most", () =>
  withMemory(fakeSnapshot([128, 128]), async (_, page) => {
    const memories = Array.from({ length: 8 }, (__, seed) => summarizeMemory(fakeSnapshot([128, 128], seed)));
    const tookMs = await longestTaskMs(page, async () => {
      const renderings = await page.evaluate(async (shown) => {
        const host = document.querySelector("hearth-memory");
        let count = 0;
        new MutationObserver(() => (count += 1)).observe(host?.shadowRoot as ShadowRoot, {
          subtree: true,
          attributeFilter: ["d"],
        });
        for (let at = 0; at < 60; at++) {
          Object.assign(host as object, { memory: shown[at % shown.length] });
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
        return count;
      }, memories);
      // 60 memories in 1.2 s or a little more; 4 a second, and one for each end.
      expect(renderings).toBeGreaterThanOrEqual(2);
      expect(renderings).toBeLessThanOrEqual(10);
    });
    expect(tookMs).toBeGreaterThan(0);
    expect(tookMs).toBeLessThan(50);
  }));
