/** The inspecting page in Chromium, its worker and all: on SwiftShader, on the reference device and on WebAssembly. */
import { readFile } from "node:fs/promises";
import type { BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { KernelReport, PlanReport } from "../../src/index.ts";
import { startApp } from "./support/app-under-test.ts";
import type { AppUnderTest } from "./support/app-under-test.ts";
import { inspected } from "./support/inspected.ts";
import { longestTaskMs } from "./support/longest-task.ts";

let app: AppUnderTest;
beforeAll(async () => {
  app = await startApp();
}, 60_000);
afterAll(() => app.close());

const CPU = "?device=wasm";

/** Opens the page, and waits until its step is compiled and measured. */
async function withStep(
  path: string,
  body: (page: Page) => Promise<void>,
  options?: BrowserContextOptions,
): Promise<void> {
  const { page, trouble } = await app.open(path, options);
  await inspected(page);
  await body(page);
  expect(trouble).toEqual([]);
  await page.context().close();
}

const rows = (page: Page): ReturnType<Page["locator"]> => page.locator("kernel-list tbody tr");
const option = (page: Page, step: number): ReturnType<Page["locator"]> => page.locator(`flame-chart #kernel-${step}`);
const fact = (page: Page, name: string): Promise<string> =>
  page
    .locator("inspect-page dl > div", { has: page.getByText(name, { exact: true }) })
    .locator("dd")
    .innerText();

/** How many different colours a canvas shows: one for each kernel's, and more. */
async function coloursOf(page: Page, index: number): Promise<number> {
  await page.waitForTimeout(100); // It draws with the next frame.
  return await page
    .locator("kernel-graph canvas")
    .nth(index)
    .evaluate((canvas: HTMLCanvasElement) => {
      const { data } = canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height) ?? { data: [] };
      return new Set(new Uint32Array(Uint8Array.from(data).buffer)).size;
    });
}

for (const [device, adapter] of [
  ["reference", /^CPU \(JavaScript\)/],
  ["webgpu", /swiftshader/i],
] as const) {
  test(`a step is compiled, measured and shown on ${device}`, { timeout: 90_000 }, () =>
    withStep(`/inspect?device=${device}`, async (page) => {
      expect(await fact(page, "Adapter")).toMatch(adapter);
      expect(await fact(page, "Compiled in")).toMatch(/^\d[\d.]* m?s/);
      const count = Number.parseInt(await fact(page, "Kernels"));
      expect(count).toBeGreaterThan(3);
      expect(await rows(page).count()).toBe(count);
      expect(await page.locator("flame-chart [role=option]").count()).toBe(count);
      expect(await coloursOf(page, 0)).toBeGreaterThan(10);
      expect(await coloursOf(page, 1)).toBeGreaterThan(3);
      await page.getByRole("button", { name: "Measure again" }).click();
      await inspected(page);
    }),
  );
}

test("another model is another step, with an address of its own", { timeout: 90_000 }, () =>
  withStep(`/inspect${CPU}`, async (page) => {
    const before = await fact(page, "Kernels");
    await page.getByLabel("Model").selectOption("digits");
    await page.waitForURL(`**/inspect/digits${CPU}`);
    await page.locator("kernel-list").waitFor({ state: "detached" });
    await inspected(page);
    expect(await fact(page, "Kernels")).not.toBe(before);
    expect(await rows(page).filter({ hasText: "window" }).count()).toBeGreaterThan(0);
    await page.getByLabel("Device").selectOption("auto");
    await inspected(page);
    expect(await page.getByLabel("Model").inputValue()).toBe("digits");
  }),
);

test("a kernel that is chosen in one place is chosen in all, and its source can be copied", { timeout: 60_000 }, () =>
  withStep(
    `/inspect${CPU}`,
    async (page) => {
      expect(await page.locator("kernel-source p").innerText()).toBe("Choose a kernel to read its source.");
      await rows(page).nth(2).getByRole("button").click();
      expect(await option(page, 2).getAttribute("aria-selected")).toBe("true");
      await option(page, 0).click();
      expect(await rows(page).nth(0).getByRole("button").getAttribute("aria-pressed")).toBe("true");
      const source = page.locator("kernel-source pre");
      expect(await source.innerText()).toContain("@compute @workgroup_size");
      expect(await source.locator(".keyword").count()).toBeGreaterThan(3);
      await page.getByRole("button", { name: "Copy WGSL" }).click();
      await page.getByRole("button", { name: "Copied" }).waitFor();
      const copied = await page.evaluate(() => navigator.clipboard.readText());
      expect(copied.trim()).toBe((await source.innerText()).trim());
    },
    { permissions: ["clipboard-read", "clipboard-write"] },
  ),
);

test("kernels are sorted by any figure", { timeout: 60_000 }, () =>
  withStep(`/inspect${CPU}`, async (page) => {
    const stepsBy = async (title: string): Promise<number[]> => {
      await page.locator("kernel-list thead").getByRole("button", { name: title }).click();
      const texts = await rows(page).locator(".step").allInnerTexts();
      return texts.map(Number);
    };
    const kernels = await page.locator("kernel-list").evaluate((list) => {
      return (list as HTMLElement & { kernels: KernelReport[] }).kernels;
    });
    const figures: Record<string, (kernel: KernelReport) => number> = {
      Bytes: (kernel) => kernel.readBytes + kernel.writtenBytes,
      Operations: (kernel) => kernel.operations,
    };
    for (const [title, figure] of Object.entries(figures)) {
      const sorted = (await stepsBy(title)).map((step) => figure(kernels[step] as KernelReport));
      expect(sorted).toEqual(kernels.map(figure).sort((a, b) => b - a));
    }
    expect(await page.locator("kernel-list [aria-sort]").innerText()).toContain("Operations");
    const times = (await stepsBy("Time")).map((step) => step);
    expect(times.length).toBe(kernels.length);
    expect(await stepsBy("Kernel")).toEqual(kernels.map((_, step) => step));
  }),
);

test("keys walk along the flame chart and zoom it", { timeout: 60_000 }, () =>
  withStep(`/inspect${CPU}`, async (page) => {
    const chart = page.getByRole("listbox", { name: /Kernels in order/ });
    await chart.focus();
    for (const key of ["ArrowRight", "ArrowRight", "ArrowLeft", "ArrowRight"]) await page.keyboard.press(key);
    expect(await option(page, 1).getAttribute("aria-selected")).toBe("true");
    expect(await chart.getAttribute("aria-activedescendant")).toBe("kernel-1");
    expect(await page.locator("flame-chart .readout").innerText()).toMatch(/^1: /);
    const all = page.locator("flame-chart").getByRole("button", { name: "All" });
    const count = await page.locator("flame-chart [role=option]").count();
    expect(await all.isDisabled()).toBe(true);
    for (let i = 0; i < 6; i++) await page.keyboard.press("+");
    expect(await all.isEnabled()).toBe(true);
    expect(await page.locator("flame-chart [role=option]").count()).toBeLessThan(count);
    // The last one is out of view until it is walked to.
    await page.keyboard.press("End");
    const { x: left = 0, width = 0 } = (await chart.boundingBox()) ?? {};
    const bar = await option(page, count - 1).boundingBox();
    // Its start is in view, even where it is wider than the chart; a pixel for rounding.
    expect(bar?.x).toBeGreaterThanOrEqual(left - 1);
    expect(bar?.x).toBeLessThanOrEqual(left + width + 1);
    await page.keyboard.press("0");
    expect(await page.locator("flame-chart [role=option]").count()).toBe(count);
  }),
);

test("where no times are known, the flame chart shows bytes", { timeout: 60_000 }, () =>
  withStep(`/inspect${CPU}`, async (page) => {
    const pressed = page.locator("flame-chart [aria-label='Widths by'] [aria-pressed=true]");
    await page.locator("flame-chart").evaluate((chart) => {
      const untimed = chart as HTMLElement & { kernels: KernelReport[]; kernelMs: null[] };
      untimed.kernelMs = untimed.kernels.map(() => null);
    });
    expect(await pressed.innerText()).toBe("bytes");
    expect(await page.getByRole("button", { name: "time", exact: true }).isDisabled()).toBe(true);
    await page.getByRole("button", { name: "operations", exact: true }).click();
    expect(await pressed.innerText()).toBe("operations");
  }),
);

test("the graph is searched and walked by keys, and leads to kernels", { timeout: 60_000 }, () =>
  withStep(`/inspect${CPU}`, async (page) => {
    const told = page.locator("kernel-graph .node");
    const search = page.getByLabel("Search the graph");
    await search.fill("contraction 128");
    await page.locator("kernel-graph output", { hasText: /^\d+ found$/ }).waitFor();
    await search.press("Enter");
    expect(await page.locator("kernel-graph output").innerText()).toMatch(/^1 of \d+$/);
    expect(await told.innerText()).toMatch(/contraction \[[\d, ]+\] float32[\s\S]*Reads[\s\S]*Computed by/);
    const kernel = Number(/kernel (\d+)/.exec(await told.innerText())?.[1]);
    expect(await option(page, kernel).getAttribute("aria-selected")).toBe("true");

    await page.getByRole("application", { name: /Graph after lowering/ }).focus();
    await page.keyboard.press("ArrowLeft");
    expect(await told.innerText()).not.toMatch(/^contraction/);
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("-");
    await page.keyboard.press("Escape");
    expect(await told.count()).toBe(0);

    await page.getByRole("button", { name: /^Before, / }).click();
    await page.getByRole("application", { name: /Graph before lowering/ }).focus();
    await page.keyboard.press("ArrowDown");
    expect(await told.innerText()).not.toContain("Computed by");
  }),
);

test("a press on a node tells it, and a drag moves the graph", { timeout: 60_000 }, () =>
  withStep(`/inspect${CPU}`, async (page) => {
    const window = page.getByRole("application");
    await window.scrollIntoViewIfNeeded();
    const { x = 0, y = 0, height = 0, width = 0 } = (await window.boundingBox()) ?? {};
    const told = page.locator("kernel-graph .node");
    // The first layer stands at the left; a node of it is somewhere along the middle of its width.
    const press = async (): Promise<void> => {
      for (let at = 4; at < height && (await told.count()) === 0; at += 12) await page.mouse.click(x + 60, y + at);
    };
    await press();
    expect(await told.innerText()).toMatch(/\[[\d, ]*\] \w+, [\d.]+ \w+/);
    await page.keyboard.press("Escape");
    await page.mouse.move(x + width / 2, y + height / 2);
    await page.mouse.down();
    await page.mouse.move(x + width / 2 - 2_000, y + height / 2, { steps: 4 });
    await page.mouse.up();
    const label = await coloursOf(page, 0);
    expect(label).toBeGreaterThan(3);
    expect(await told.count()).toBe(0);
  }),
);

test("the step leaves the page as text and as JSON", { timeout: 60_000 }, () =>
  withStep(`/inspect${CPU}`, async (page) => {
    await page.getByRole("button", { name: "Show as text" }).click();
    expect(await page.getByLabel("The step as text").innerText()).toMatch(/^plan 0: \d+ kernels, [\d.]+ ms/);
    const download = async (name: string): Promise<[string, string]> => {
      const coming = page.waitForEvent("download");
      await page.getByRole("button", { name }).click();
      const file = await coming;
      return [file.suggestedFilename(), await readFile(await file.path(), "utf8")];
    };
    const [textName, text] = await download("Download text with sources");
    expect([textName, text.includes("fn main(")]).toEqual(["mlp-step.txt", true]);
    const [jsonName, json] = await download("Download JSON");
    expect(jsonName).toBe("mlp-step.json");
    const { model, device, plans } = JSON.parse(json) as { model: string; device: string; plans: PlanReport[] };
    expect([model, device]).toEqual(["mlp", expect.stringMatching(/^CPU \(WebAssembly/)]);
    expect(plans[0]?.kernels.length).toBe(await rows(page).count());
  }),
);

test("a worker that cannot be loaded is told in a sentence, with another try", { timeout: 60_000 }, async () => {
  const { page } = await app.open("/");
  await page.route("**/inspect-worker*", (route) => route.abort());
  await page.getByRole("link", { name: "Look inside a step" }).click();
  await page.locator("inspect-page [role=alert]", { hasText: "The worker could not be loaded." }).waitFor();
  await page.unroute("**/inspect-worker*");
  await page.getByRole("button", { name: "Try again" }).click();
  await inspected(page);
  expect(await page.locator("inspect-page [role=alert]").innerText()).toBe("");
  await page.context().close();
});

test("thousands of nodes are panned, zoomed and searched in tasks of under 50 ms", { timeout: 120_000 }, () =>
  withStep(`/inspect/char-gpt${CPU}`, async (page) => {
    const { x = 0, y = 0, width = 0, height = 0 } = (await page.getByRole("application").boundingBox()) ?? {};
    expect(Number.parseInt((await fact(page, "Kernels")).replace(/^\d+\s+/, ""))).toBeGreaterThan(1_000);
    await page.getByRole("button", { name: /^Before, / }).click();
    const tookMs = await longestTaskMs(page, async () => {
      for (let i = 0; i < 12; i++) await page.locator("kernel-graph").getByRole("button", { name: "Zoom out" }).click();
      await page.mouse.move(x + width / 2, y + height / 2);
      await page.mouse.down();
      await page.mouse.move(x + width / 3, y + height / 3, { steps: 20 });
      await page.mouse.up();
      await page.getByLabel("Search the graph").pressSequentially("multiply", { delay: 20 });
    });
    expect(tookMs).toBeGreaterThan(0);
    expect(tookMs).toBeLessThan(50);
  }),
);
