/** Waits until the inspecting page has compiled its step and measured it; slow machines take a while. */
import type { Page } from "playwright-core";

export async function inspected(page: Page): Promise<void> {
  await page.locator("inspect-page .doing", { hasText: /in kernels/ }).waitFor({ timeout: 80_000 });
}
