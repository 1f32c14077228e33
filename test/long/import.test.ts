/** A checkpoint downloaded from one room's page, and a room started from it on the start page: one run in two parts. */
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { lossesOf } from "../../tools/swarm/compare.ts";
import { HearthUnderTest, type OpenTab } from "../e2e/support/hearth.ts";

const TEST_MS_MAX = 150_000;
const RUN = "A small GPT that learns to add";
const [SEED, MIDDLE, STEPS] = [7, 10, 20];

let hearth: HearthUnderTest;
beforeAll(async () => (hearth = await HearthUnderTest.start()), TEST_MS_MAX);
afterAll(() => hearth?.stop(), TEST_MS_MAX);

/** Trains a room in one tab to its end, and gives its losses. */
async function trained(tab: OpenTab, room: string): Promise<Map<number, number>> {
  const watched = hearth.watch(room);
  await watched.ended();
  watched.close();
  expect(tab.trouble).toEqual([]);
  return lossesOf(watched.lines);
}

async function roomOf(steps: number): Promise<{ tab: OpenTab; losses: Map<number, number> }> {
  const room = await hearth.createRoom({ run: "addition", seed: SEED, steps });
  const tab = await hearth.open(`/room/${room}?device=wasm`);
  return { tab, losses: await trained(tab, room) };
}

/** Fills the form of the start page, as a person would. */
async function startFrom(file: string, run: string): Promise<OpenTab> {
  const tab = await hearth.open("/?device=wasm");
  await tab.page.getByLabel(run).check();
  await tab.page.getByText("Options", { exact: true }).click();
  await tab.page.getByLabel("Steps").fill(String(STEPS));
  await tab.page.getByLabel("Go on from a checkpoint").setInputFiles(file);
  await tab.page.getByRole("button", { name: "Start room" }).click();
  return tab;
}

test(
  "a run downloaded at step 10 and gone on with in another room has the losses of one that never ended",
  async () => {
    const whole = await roomOf(STEPS);
    const { tab } = await roomOf(MIDDLE);
    const downloading = tab.page.waitForEvent("download");
    await tab.page.getByRole("button", { name: "Download checkpoint" }).click();
    const download = await downloading;
    expect(download.suggestedFilename()).toBe("addition.safetensors");
    const file = join(hearth.directory, "addition.safetensors");
    await download.saveAs(file);

    const second = await startFrom(file, RUN);
    await second.page.waitForURL("**/room/*");
    const losses = await trained(second, new URL(second.page.url()).pathname.replace("/room/", ""));
    expect([...losses]).toEqual([...whole.losses].filter(([step]) => step > MIDDLE));
    expect(losses.size).toBe(STEPS - MIDDLE);

    const refused = await startFrom(file, "A network that learns to read digits");
    await refused.page.getByText("is a checkpoint of the run addition; this room trains digits").waitFor();
    await Promise.all([whole.tab, tab, second, refused].map(({ page }) => page.context().close()));
  },
  TEST_MS_MAX,
);
