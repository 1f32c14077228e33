/** Puts a view on a room page, and waits until the page shows it. */
import type { Page } from "playwright-core";
import type { RoomView } from "../../../src/host/browser/room-view.ts";

export async function showView(page: Page, view: RoomView): Promise<void> {
  await page.waitForFunction(
    () => "hearthFake" in window && window.hearthFake.calls.some((call) => call.startsWith("join")),
  );
  await page.evaluate((shown) => window.hearthFake.show(shown), view);
  await page.locator("hearth-status .note", { hasText: view.note }).waitFor();
  // The page and then its elements render four times a second; the last of them a beat and a frame after the first.
  await page.waitForTimeout(600);
}
