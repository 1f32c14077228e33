import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startApp } from "./support/app-under-test.ts";
import type { AppUnderTest } from "./support/app-under-test.ts";

let app: AppUnderTest;
beforeAll(async () => {
  app = await startApp();
}, 60_000);
afterAll(() => app.close());

async function withHome(body: (page: Page, trouble: string[]) => Promise<void>, path = "/"): Promise<void> {
  const { page, trouble } = await app.open(path);
  await body(page, trouble);
  await page.context().close();
}

const chooseFile = (page: Page, name: string, buffer: Buffer): Promise<void> =>
  page.locator("file-drop input").setInputFiles({ name, mimeType: "text/plain", buffer });

const startRoom = (page: Page): Promise<void> => page.getByRole("button", { name: "Start room" }).click();

test("a room starts with the run, seed, steps and file that were chosen, and keeps the query", () =>
  withHome(async (page, trouble) => {
    const asked = page.waitForRequest("**/api/rooms");
    await chooseFile(page, "hamlet.txt", Buffer.from("To be, or not to be, that is the question."));
    await page.getByText("Options", { exact: true }).click();
    await page.getByLabel("Seed").fill("7");
    await page.getByLabel("Steps").fill("60");
    await startRoom(page);
    expect((await asked).postDataJSON()).toMatchObject({
      run: "char-gpt",
      seed: 7,
      steps: 60,
      data: { bytes: 42, name: "hamlet.txt" },
    });
    await page.waitForURL("**/room/fake-room-1?device=reference");
    await page.locator("room-page h1").waitFor();
    expect(await page.evaluate(() => window.hearthFake.calls)).toEqual(["join reference /room/fake-room-1"]);
    expect(trouble).toEqual([]);
  }, "/?device=reference"));

test("a run without a file leaves the chosen one out", () =>
  withHome(async (page) => {
    const asked = page.waitForRequest("**/api/rooms");
    await chooseFile(page, "hamlet.txt", Buffer.from("To be, or not to be."));
    await page.getByLabel("A small GPT that learns to add").check();
    expect(await page.locator("file-drop").isVisible()).toBe(false);
    await startRoom(page);
    expect((await asked).postDataJSON()).toMatchObject({ run: "addition", data: null });
  }));

test("each file that will not do gets one sentence, and another try", () =>
  withHome(async (page, trouble) => {
    const refusals: [string, Buffer, RegExp][] = [
      ["empty.txt", Buffer.alloc(0), /“empty\.txt” is empty/],
      ["photo.jpg", Buffer.from([0xff, 0xd8, 0xff, 0x00, 0x10]), /“photo\.jpg” is not text/],
    ];
    for (const [name, content, sentence] of refusals) {
      await chooseFile(page, name, content);
      await startRoom(page);
      await page.locator("start-form [role=alert]", { hasText: sentence }).waitFor();
    }
    await chooseFile(page, "hamlet.txt", Buffer.from("To be, or not to be."));
    expect(await page.locator("start-form [role=alert]").innerText()).toBe("");
    await startRoom(page);
    await page.waitForURL("**/room/fake-room-1");
    expect(trouble).toEqual([]);
  }));

test("a file of 300 MB is refused without being read", () =>
  withHome(async (page) => {
    // Dropped, not chosen: a sparse File of that size is made in the page, as no input can be given one.
    await page.evaluate(() => {
      const megabyte = new Uint8Array(1_000_000).fill(97);
      const transfer = new DataTransfer();
      transfer.items.add(new File(Array<Uint8Array<ArrayBuffer>>(300).fill(megabyte), "huge.txt"));
      dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, cancelable: true }));
    });
    await page.getByText("300 MB").waitFor();
    await startRoom(page);
    await page
      .locator("start-form [role=alert]", { hasText: /“huge\.txt” has 286 MB; the most .* is 64 MB/ })
      .waitFor();
  }));

test("a file dropped anywhere chooses a run that takes it", () =>
  withHome(async (page) => {
    await page.getByLabel("A small GPT that learns to add").check();
    await page.evaluate(() => {
      const transfer = new DataTransfer();
      transfer.items.add(new File(["To be, or not to be."], "hamlet.txt"));
      dispatchEvent(new DragEvent("dragover", { dataTransfer: transfer, cancelable: true }));
      dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, cancelable: true }));
    });
    await page.getByText("hamlet.txt").waitFor();
    expect(await page.getByLabel("A small GPT that learns to write").isChecked()).toBe(true);
  }));

test("a seed that is no number is refused in words", () =>
  withHome(async (page) => {
    await page.getByText("Options", { exact: true }).click();
    await page.getByLabel("Seed").fill("seven");
    await startRoom(page);
    await page.locator("start-form [role=alert]", { hasText: "The seed must be a whole number" }).waitFor();
  }));

test("the keyboard alone goes from the top of the page into a room", () =>
  withHome(async (page) => {
    const focused = (): Promise<string> =>
      page.evaluate(() => {
        let at = document.activeElement;
        while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
        return at?.textContent?.trim() || at?.getAttribute("name") || "";
      });
    const stops: string[] = [];
    for (let stop = 0; stop < 5; stop++) {
      await page.keyboard.press("Tab");
      stops.push(await focused());
    }
    expect(stops).toEqual(["hearth", "run", "Choose a file", "Options", "Start room"]);
    await page.keyboard.press("Shift+Tab");
    await page.keyboard.press("Shift+Tab");
    await page.keyboard.press("Shift+Tab");
    await page.keyboard.press("ArrowDown");
    expect(await page.getByLabel("A network that learns to read digits").isChecked()).toBe(true);
    await page.keyboard.press("Enter");
    await page.waitForURL("**/room/fake-room-1");
    await page.locator("room-page h1").waitFor();
    await page.waitForTimeout(100);
    // The heading of the new page has the focus, so that reading goes on there.
    expect(await focused()).toBe("A room");
  }));

test("a pasted link or id leads into its room; anything else is told", () =>
  withHome(async (page, trouble) => {
    await page.getByLabel("Link or id").fill("nothing like it");
    await page.getByRole("button", { name: "Join" }).click();
    await page.getByText("This is neither a room's link nor a room's id.").waitFor();
    await page.getByLabel("Link or id").fill(`${app.origin}/room/3f1c9a`);
    await page.keyboard.press("Enter");
    await page.waitForURL("**/room/3f1c9a");
    await page.goBack();
    await page.getByRole("heading", { name: "Start a room" }).waitFor();
    expect(trouble).toEqual([]);
  }));

test("the page says that the server is away, and stops saying so when it is back", async () => {
  app.isHealthy = false;
  const { page } = await app.open("/");
  await page.getByText("The hearth server does not answer.").waitFor();
  app.isHealthy = true;
  await page.getByText("The hearth server does not answer.").waitFor({ state: "detached" });
  await page.context().close();
});

test("an address that is no page says so", () =>
  withHome(async (page) => {
    await page.getByRole("heading", { name: "There is nothing here" }).waitFor();
    await page.getByRole("link", { name: "To the start page" }).click();
    await page.getByRole("heading", { name: "Start a room" }).waitFor();
  }, "/rooms"));
