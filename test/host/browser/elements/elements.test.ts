/** `hearth/elements` on a page that has nothing else of hearth. */
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startApp } from "../../../app/support/app-under-test.ts";
import type { AppUnderTest } from "../../../app/support/app-under-test.ts";
import { trainingView } from "../../../app/support/views.ts";
import type { RoomView } from "../../../../src/host/browser/room-view.ts";

let site: AppUnderTest;
beforeAll(async () => {
  site = await startApp(join(import.meta.dirname, "own-page"));
}, 60_000);
afterAll(() => site.close());

async function withPage(body: (page: Page) => Promise<void>): Promise<void> {
  const { page, trouble } = await site.open("/");
  await page.waitForFunction(() => customElements.get("hearth-step-time") !== undefined);
  await body(page);
  expect(trouble).toEqual([]);
  await page.context().close();
}

async function setView(page: Page, view: RoomView | null): Promise<void> {
  await page.evaluate(async (shown) => {
    const elements = [...document.querySelectorAll<HTMLElement>("body > *")].filter((element) => "view" in element);
    for (const element of elements) Object.assign(element, { view: shown });
    await Promise.all(
      elements.map((element) => (element as unknown as { updateComplete: Promise<boolean> }).updateComplete),
    );
  }, view);
}

const shadowText = (page: Page, element: string): Promise<string> =>
  page.locator(element).evaluate((host) => (host.shadowRoot?.textContent ?? "").replace(/\s+/g, " ").trim());

test("without a view each element says that nothing is there yet", () =>
  withPage(async (page) => {
    expect(await shadowText(page, "hearth-status")).toBe("Opening the room");
    expect(await shadowText(page, "hearth-members")).toBe("Nobody trains here yet.");
    expect(await shadowText(page, "hearth-step-time")).toBe("The first step is still to come.");
    expect(await shadowText(page, "hearth-link-matrix")).toBe("There is nobody else to reach yet.");
    expect(await shadowText(page, "hearth-sample")).toBe("The model has written nothing yet.");
    expect(await shadowText(page, "hearth-memory")).toBe("Nothing is known of this memory yet.");
    expect(await shadowText(page, "hearth-loss-chart")).toBe("The curve begins with the first step.");
  }));

test("colours set on the page reach into the elements", () =>
  withPage(async (page) => {
    await setView(page, trainingView(20, 2));
    const colorOf = (selector: string): Promise<string> =>
      page
        .locator(selector)
        .first()
        .evaluate((element) => getComputedStyle(element).color);
    expect(await colorOf("hearth-members .self")).toBe("rgb(0, 0, 255)");
    expect(await colorOf("hearth-status .note")).toBe("rgb(0, 100, 0)");
  }));

test("the chart draws, follows its width, and lives through being moved in the document", () =>
  withPage(async (page) => {
    await setView(page, trainingView(60, 2));
    const chart = page.locator("hearth-loss-chart");
    const width = (): Promise<number> => chart.locator("canvas").evaluate((canvas) => canvas.clientWidth);
    await expect.poll(width).toBeGreaterThan(1_000);
    await page.setViewportSize({ width: 400, height: 800 });
    await expect.poll(width).toBeLessThan(400);
    await chart.evaluate((element) => document.body.prepend(element));
    await expect.poll(() => chart.locator("canvas").count()).toBe(1);
    const inked = await chart.locator("canvas").evaluate((canvas: HTMLCanvasElement) => {
      const pixels = canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
      return pixels.filter((value, at) => at % 4 === 3 && value > 0).length / (pixels.length / 4);
    });
    // The area under the curve alone covers about a third.
    expect(inked).toBeGreaterThan(0.2);
  }));

test("samples are kept from the first to the newest, and those of undone steps are dropped", () =>
  withPage(async (page) => {
    const steps = (): Promise<string> =>
      page
        .locator("hearth-sample")
        .evaluate((host) =>
          [...(host.shadowRoot?.querySelectorAll("figcaption") ?? [])].map((caption) => caption.textContent).join("; "),
        );
    for (let step = 10; step <= 80; step += 10)
      await setView(page, { ...trainingView(80, 1), sample: { step, text: `sample ${step}` } });
    const kept = await steps();
    expect(kept).toMatch(/^after step 80; after step 10; .*after step \d+$/);
    expect(kept.split("; ")).toHaveLength(5);
    await setView(page, { ...trainingView(80, 1), sample: { step: 15, text: "after a rollback" } });
    expect(await steps()).toBe("after step 15; after step 10");
  }));

test("many tabs are shown as their mean, this tab and the slowest", () =>
  withPage(async (page) => {
    await setView(page, trainingView(20, 12));
    const rows = await page.locator("hearth-step-time li .head").allInnerTexts();
    expect(rows).toHaveLength(9);
    expect(rows[0]).toContain("Mean of 12 tabs");
    expect(rows[1]).toContain("(this tab)");
    expect(await shadowText(page, "hearth-step-time")).toContain("And 4 more, counted in the mean.");
  }));

test("the matrix of links names each pair's way, and of this tab's links what they take and carry", () =>
  withPage(async (page) => {
    await setView(page, trainingView(20, 4));
    const rows = await page.locator("hearth-link-matrix tbody tr").allInnerTexts();
    const cells = rows.map((row) => row.split("\t").map((cell) => cell.replace(/\s+/g, " ").trim()));
    expect(cells).toHaveLength(4);
    expect(cells[0]?.[0]).toMatch(/\(this tab\)$/);
    expect(cells[0]?.slice(1)).toEqual([
      "",
      "WebRTC 0.4 ms there and back 0 bytes/s",
      "same browser 3.4 ms there and back 810 kB/s",
      "relayed by the server no round trip yet 1.62 MB/s",
    ]);
    expect(cells[1]?.slice(1, 3)).toEqual(["WebRTC 0.4 ms there and back 0 bytes/s", ""]);
    expect(cells[2]?.[2]).toBe(cells[1]?.[3]);
    expect(["WebRTC", "same browser", "relayed by the server"]).toContain(cells[1]?.[3]);
    expect(await page.locator("hearth-link-matrix").getByRole("table").getByRole("rowheader").count()).toBe(4);
    const view = trainingView(20, 3);
    const peers = view.members.map(({ peer }) => peer);
    const links = peers.map((_, from) =>
      peers.map((__, to) => ({ latencyMs: 1, bytesPerMs: 1_000 * (1 + from + to) })),
    );
    await setView(page, { ...view, choice: { peers, links, program: "ring" } });
    const shown = await shadowText(page, "hearth-link-matrix");
    expect(shown).toContain("By what was measured, parameters go by the program “ring”.");
    for (const able of ["2.00", "3.00", "4.00"]) expect(shown).toContain(`can do ${able} MB/s`);
    await setView(page, trainingView(20, 12));
    expect(await shadowText(page, "hearth-link-matrix")).toContain("And 4 more, which are not shown.");
  }));
