import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startApp } from "./support/app-under-test.ts";
import type { AppUnderTest } from "./support/app-under-test.ts";
import { longestTaskMs } from "./support/longest-task.ts";
import { showView } from "./support/show-view.ts";
import { fakeSnapshot } from "./support/memories.ts";
import { fakePeer, trainingView } from "./support/views.ts";
import { peerName } from "../../src/host/browser/elements/peer-name.ts";
import { summarizeMemory } from "../../src/training/summarize-memory.ts";

let app: AppUnderTest;
beforeAll(async () => {
  app = await startApp();
}, 60_000);
afterAll(() => app.close());

const ROOM = "/room/fake-room-1";
const TASK_MS_MAX = 80;

async function withRoom(body: (page: Page) => Promise<void>, path = ROOM): Promise<void> {
  const { page, trouble } = await app.open(path);
  await body(page);
  expect(trouble).toEqual([]);
  await page.context().close();
}

/** The text inside an element's shadow root, its white space folded. */
const shadowText = (page: Page, element: string): Promise<string> =>
  page.locator(element).evaluate((host) => (host.shadowRoot?.textContent ?? "").replace(/\s+/g, " "));

const calls = (page: Page): Promise<string[]> => page.evaluate(() => window.hearthFake.calls);

test("a run in training is told in words and numbers", () =>
  withRoom(async (page) => {
    await showView(page, trainingView(120, 3));
    expect(await shadowText(page, "hearth-status")).toMatch(/Training .*steps done 120 of 300 tabs 3 /);
    expect(await page.locator("hearth-loss-chart [role=img]").getAttribute("aria-label")).toMatch(
      /^Loss curve: \d\.\d\d at step 1, now \d\.\d\d at step 120\.$/,
    );
    expect(await page.locator("hearth-loss-chart canvas").count()).toBe(1);
    expect(await page.locator("hearth-step-time li").count()).toBe(4);
    expect(await page.locator("hearth-sample pre").first().innerText()).toContain("KING");
    const facts = await shadowText(page, "room-facts");
    expect(facts).toContain("97.5 MB the browser counts 100 MB");
    expect(facts).toContain("step 120 on 3 devices at least, written in 84 ms");
    expect(await page.title()).toMatch(/^step 120 · loss \d\.\d\d · hearth$/);
  }));

test("members come and go before people's eyes", () =>
  withRoom(async (page) => {
    const [self, other] = [peerName(fakePeer(0)), peerName(fakePeer(2))];
    await showView(page, trainingView(20, 3));
    const rows = page.locator("hearth-members li");
    expect(await rows.count()).toBe(3);
    expect(await rows.first().innerText()).toMatch(new RegExp(`${self}\\s+this tab[\\s\\S]*WebGPU: Apple M2`));
    expect(await rows.last().innerText()).toContain("same browser");
    await showView(page, trainingView(21, 2));
    expect(await rows.last().innerText()).toMatch(new RegExp(`${other}[\\s\\S]*gone`));
    await showView(page, trainingView(22, 3));
    expect(await rows.count()).toBe(3);
    expect(await rows.filter({ hasText: "gone" }).count()).toBe(0);
  }));

test("what each member gives is told in words, and what it does not tell is left out", () =>
  withRoom(async (page) => {
    const view = trainingView(20, 3);
    const quiet = view.members.map(({ offer, ...member }, at) =>
      at === 1 ? member : { ...member, offer: offer ?? {} },
    );
    await showView(page, view);
    const offers = page.locator("hearth-members .offer");
    const words = async (): Promise<string[]> =>
      (await offers.allInnerTexts()).map((text) => text.replace(/\s*\n\s*/g, "; "));
    expect(await words()).toEqual([
      "gives all of its time",
      "gives 50 % of its time; leaves within 12 minutes; battery 40 %; in the background",
      "gives 25 % of its time; at most 512 MiB; battery 80 %, charging",
    ]);
    await showView(page, { ...view, members: quiet });
    expect((await words()).length).toBe(2);
  }));

test("people set how much of its time this tab gives and for how long, and see it arrive", () =>
  withRoom(async (page) => {
    await showView(page, trainingView(20, 2));
    const limits = page.locator("own-limits");
    await limits.getByText("Now it gives all of its time, for as long as it is open.").waitFor();
    await page.getByLabel("Part of this device's time").selectOption("50 %");
    await limits.getByText("Now it gives 50 % of its time, for as long as it is open.").waitFor();
    await page.getByRole("button", { name: "Start the clock" }).click();
    await limits.locator("[role=alert]", { hasText: "Type after how many minutes" }).waitFor();
    await page.getByLabel("Leave after so many minutes").fill("30");
    await page.getByRole("button", { name: "Start the clock" }).click();
    await limits.getByText("Now it gives 50 % of its time and leaves within 30 minutes.").waitFor();
    await page.getByRole("button", { name: "No end" }).click();
    await limits.getByText("Now it gives 50 % of its time, for as long as it is open.").waitFor();
    await page.getByRole("button", { name: "Leave" }).click();
    await page.getByRole("button", { name: "Join again" }).click();
    await page.locator("hearth-status", { hasText: "Finding the room" }).waitFor();
    expect((await calls(page)).filter((call) => /^(join|set)/.test(call))).toEqual([
      `join auto ${ROOM}`,
      "setShare 0.5",
      "setMinutes 30",
      "setMinutes null",
      `join auto ${ROOM} 50 %`,
    ]);
  }));

test("the memory of every member is shown: this tab's large, the others' beside their names", () =>
  withRoom(async (page) => {
    await showView(page, trainingView(20, 3));
    const own = page.locator("hearth-memory:not([compact])");
    expect(await own.locator("[role=img]").getAttribute("aria-label")).toMatch(/^Page map of 4 slabs: /);
    const others = page.locator("hearth-members hearth-memory[compact]");
    expect(await others.count()).toBe(2);
    expect(await page.locator("hearth-members li").first().locator("hearth-memory").count()).toBe(0);
    const before = await others.first().locator("path").first().getAttribute("d");
    const view = trainingView(21, 3);
    const memories = { ...view.memories, [fakePeer(1)]: summarizeMemory(fakeSnapshot([24], 9)) };
    await showView(page, { ...view, memories });
    expect(await others.first().locator("path").first().getAttribute("d")).not.toBe(before);
  }));

test("people set how much memory this tab takes, and it holds when the tab joins again", () =>
  withRoom(async (page) => {
    await showView(page, trainingView(20, 1));
    const field = page.getByLabel("Most memory for this tab, in MiB");
    const set = page.getByRole("button", { name: "Set" });
    await set.click();
    await page.locator("memory-budget [role=alert]", { hasText: "Type how many mebibytes" }).waitFor();
    await field.fill("96");
    await set.click();
    await page.getByText("Now it keeps to 96.0 MiB.").waitFor();
    await page.locator("hearth-memory", { hasText: "of a budget of 96.0 MiB" }).waitFor();
    await page.getByRole("button", { name: "Leave" }).click();
    await page.getByRole("button", { name: "Join again" }).click();
    await page.locator("hearth-status", { hasText: "Finding the room" }).waitFor();
    await showView(page, trainingView(20, 1));
    await page.getByRole("button", { name: "No limit" }).click();
    await page.getByText("Now it takes what it needs.").waitFor();
    expect((await calls(page)).filter((call) => /^(join|setMemory)/.test(call))).toEqual([
      `join auto ${ROOM}`,
      "setMemoryBudget 96",
      `join auto ${ROOM} 96 MiB`,
      "setMemoryBudget null",
    ]);
  }));

test("pause, resume, leave and join again do what they say", () =>
  withRoom(async (page) => {
    await showView(page, trainingView(20, 2));
    await page.getByRole("button", { name: "Pause this tab" }).click();
    await page.locator(".note", { hasText: "This tab rests" }).waitFor();
    await page.getByRole("button", { name: "Resume" }).click();
    await page.getByRole("button", { name: "Write something now" }).click();
    await page.getByRole("button", { name: "Leave" }).click();
    await page.locator(".note", { hasText: "This tab has left" }).waitFor();
    await page.getByRole("button", { name: "Join again" }).click();
    await page.locator("hearth-status", { hasText: "Finding the room" }).waitFor();
    const joined = `join auto ${ROOM}`;
    expect((await calls(page)).filter((call) => call !== "leave")).toEqual([
      joined,
      "pause",
      "resume",
      "sampleNow",
      joined,
    ]);
  }));

test("going to the start page leaves the room", () =>
  withRoom(async (page) => {
    await showView(page, trainingView(20, 2));
    await page.getByRole("link", { name: "hearth" }).click();
    await page.getByRole("heading", { name: "Start a room" }).waitFor();
    expect(await calls(page)).toContain("leave");
  }));

test("the device asked for in the address is passed on, and others are not", async () => {
  await withRoom(async (page) => expect(await calls(page)).toEqual([`join webgpu ${ROOM}`]), `${ROOM}?device=webgpu`);
  await withRoom(async (page) => expect(await calls(page)).toEqual([`join auto ${ROOM}`]), `${ROOM}?device=abacus`);
});

test("a tab without WebGPU says that it goes on with the CPU", () =>
  withRoom(async (page) => {
    const notice = page.locator("hearth-status .notice");
    const reason = "This browser has no WebGPU, so this tab computes on the CPU.";
    await showView(page, trainingView(5, 1, { engine: { kind: "reference", name: "CPU", reason } }));
    expect(await notice.innerText()).toBe(reason);
    await showView(page, trainingView(6, 1, { engine: { kind: "reference", name: "CPU", reason: "" } }));
    expect(await notice.innerText()).toContain("computes on the CPU");
    await showView(page, trainingView(7, 1));
    expect(await notice.count()).toBe(0);
  }));

test("a tab that compared its devices says which it took, and why", () =>
  withRoom(async (page) => {
    const reason = "The GPU computes: in a short race over a product of matrices it did 90 GFLOP/s, the CPU 48.";
    await showView(page, trainingView(5, 1, { engine: { kind: "webgpu", name: "intel gen-9", reason } }));
    expect(await page.locator("hearth-status .notice").innerText()).toBe(reason);
  }));

test("a sentence that is note and problem at once is shown once", () =>
  withRoom(async (page) => {
    const problem = "The text has 2 characters; char-gpt needs at least 66 to learn from.";
    await showView(page, trainingView(5, 1));
    await page.evaluate(
      (view) => window.hearthFake.show(view),
      trainingView(0, 1, { phase: "stopped", note: problem, problem }),
    );
    await page.locator("hearth-status [role=alert]", { hasText: problem }).waitFor();
    expect((await shadowText(page, "hearth-status")).split(problem)).toHaveLength(2);
  }));

test("the room's missing file is asked for, and a wrong one is refused in words", () =>
  withRoom(async (page) => {
    await showView(page, trainingView(0, 1, { phase: "waiting", note: "Waiting for data.", needsFile: "hamlet.txt" }));
    await page.getByText("This room trains on “hamlet.txt”").waitFor();
    const buffer = Buffer.from("something else");
    await page.locator("file-drop input").setInputFiles({ name: "other.txt", mimeType: "text/plain", buffer });
    await page.locator("[role=alert]", { hasText: "This is not the file the room trains on." }).waitFor();
    expect(await calls(page)).toContain("offerFile 14");
  }));

test("a refusal leaves its sentence and the way out, and no empty room", () =>
  withRoom(async (page) => {
    const problem = "This page speaks version 1 of the protocol, the server version 2: reload the page.";
    await showView(page, trainingView(0, 0, { phase: "stopped", note: "Refused.", spec: null, problem }));
    await page.locator("[role=alert]", { hasText: problem }).waitFor();
    expect(await page.locator("hearth-members, hearth-loss-chart").count()).toBe(0);
    await page.getByRole("link", { name: "Start page" }).click();
    await page.getByRole("heading", { name: "Start a room" }).waitFor();
  }));

test("a join that fails is explained; while the server is away the tab waits for it", async () => {
  const { page } = await app.open("/");
  await page.evaluate(() => sessionStorage.setItem("refusal", "The signaling server refused this tab."));
  await page.goto(`${app.origin}${ROOM}`);
  await page.getByText("The signaling server refused this tab.").waitFor();
  app.isHealthy = false;
  await page.getByRole("button", { name: "Join again" }).click();
  await page.getByText("This tab joins as soon as it answers.").waitFor();
  await page.evaluate(() => (window.hearthFake.refusal = null));
  app.isHealthy = true;
  await page.locator("hearth-status", { hasText: "Finding the room" }).waitFor();
  await page.context().close();
});

test("a browser without WebRTC is told what it lacks", async () => {
  const context = await app.browser.newContext();
  await context.addInitScript("delete window.RTCPeerConnection");
  const page = await context.newPage();
  await page.goto(`${app.origin}${ROOM}`);
  await page.getByText("This browser has no WebRTC").waitFor();
  await context.close();
});

test("the link is shown without the query, and copied at a press", () =>
  withRoom(async (page) => {
    await showView(page, trainingView(5, 1));
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    expect(await page.getByLabel("Link to this room").inputValue()).toBe(`${app.origin}${ROOM}`);
    await page.getByRole("button", { name: "Copy" }).click();
    await page.getByRole("button", { name: "Copied" }).waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(`${app.origin}${ROOM}`);
  }, `${ROOM}?device=webgpu`));

test("however fast views come, the page renders four times a second, in short tasks", () =>
  withRoom(async (page) => {
    await showView(page, trainingView(10, 8));
    const view = trainingView(2_000, 8);
    const measure = async (): Promise<void> => {
      const { renderings, seconds } = await page.evaluate(async (newest) => {
        const startMs = performance.now();
        const note = document.querySelector("hearth-app")?.shadowRoot?.querySelector("room-page")?.shadowRoot;
        const status = note?.querySelector("hearth-status")?.shadowRoot;
        let count = 0;
        new MutationObserver(() => (count += 1)).observe(status as ShadowRoot, { subtree: true, characterData: true });
        for (let at = 0; at < 100; at++) {
          window.hearthFake.show({ ...newest, step: 1_900 + at, history: newest.history.slice(0, 1_900 + at) });
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
        return { renderings: count, seconds: (performance.now() - startMs) / 1000 };
      }, view);
      // 100 views in 2 s, or in more on a busy machine; 4 a second, and one for each end.
      expect(renderings).toBeGreaterThanOrEqual(4);
      expect(renderings).toBeLessThanOrEqual(4 * seconds + 6);
    };
    // What the machine does beside it is not the page's: the best of three. On a quiet one it is under 50 ms; caches that
    // others empty cost CPU time too.
    let tookMs = Number.POSITIVE_INFINITY;
    for (let attempt = 0; attempt < 3 && tookMs >= TASK_MS_MAX; attempt++) {
      tookMs = Math.min(tookMs, await longestTaskMs(page, measure));
    }
    expect(tookMs).toBeGreaterThan(0);
    expect(tookMs).toBeLessThan(TASK_MS_MAX);
  }));
