/** Rooms made on the start page without a file: their data is a file all the same, and goes from tab to tab. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { DataSpec, RunSpec } from "../../src/network/wire/run-spec.ts";
import type { StepLine } from "../../src/network/wire/run-line.ts";
import { areEqual } from "../../tools/swarm/summary.ts";
import { HearthUnderTest, type OpenTab, type WatchedRoom } from "./support/hearth.ts";

const TEST_MS_MAX = 120_000;
const LAST = 5;

let hearth: HearthUnderTest;
beforeAll(async () => (hearth = await HearthUnderTest.start()), TEST_MS_MAX);
afterAll(() => hearth?.stop(), TEST_MS_MAX);

/** Starts a room on the start page, as a person would. */
async function startRoom({ page }: OpenTab, run: string, steps: number): Promise<string> {
  await page.getByLabel(run).check();
  await page.getByText("Options", { exact: true }).click();
  await page.getByLabel("Seed").fill("7");
  await page.getByLabel("Steps").fill(String(steps));
  await page.getByRole("button", { name: "Start room" }).click();
  await page.waitForURL("**/room/*");
  return new URL(page.url()).pathname;
}

/** The part of the server's answer about a room that is looked at. */
interface RoomAnswer {
  readonly spec: RunSpec;
}

/** Two tabs from the start page to the last step, of so many that the second one is there before the first is done. */
async function train(run: string, steps: number): Promise<{ data: DataSpec; watched: WatchedRoom; asked: string[] }> {
  const first = await hearth.open("/?device=wasm");
  const second = await hearth.open("/?device=wasm");
  const path = await startRoom(first, run, steps);
  const watched = hearth.watch(path.replace("/room/", ""));
  const asked: string[] = [];
  second.page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  await second.page.goto(`${hearth.origin}${path}?device=wasm`);
  const { digests } = await watched.ended();
  expect(Object.keys(digests)).toHaveLength(2);
  expect(areEqual(digests)).toBe(true);
  const { spec } = (await (await fetch(`${hearth.origin}/api${path.replace("room", "rooms")}`)).json()) as RoomAnswer;
  expect([...first.trouble, ...second.trouble]).toEqual([]);
  await Promise.all([first, second].map(({ page }) => page.context().close()));
  watched.close();
  if (spec.data === null) return expect.fail("expected a room with a data file");
  return { data: spec.data, watched, asked };
}

function stepsOf({ lines }: WatchedRoom): StepLine[] {
  return lines.filter((line) => line.type === "step");
}

/** Bytes that members sent for others to join with. */
function joinBytes(steps: readonly StepLine[]): number {
  return steps.flatMap((line) => Object.values(line.bytesSent)).reduce((sum, { join }) => sum + join, 0);
}

function lastLoss(steps: readonly StepLine[]): number {
  return steps.slice(-LAST).reduce((sum, { loss }) => sum + loss, 0) / LAST;
}

test(
  "char-gpt's text is this site's own, and the second tab gets it from the first",
  async () => {
    const { data, watched, asked } = await train("A small GPT that learns to write", 80);
    expect(data.name).toBe("own-source.txt");
    expect(asked.length).toBeGreaterThan(2);
    expect(asked).not.toContain("/own-source.txt");
    const steps = stepsOf(watched);
    expect(joinBytes(steps)).toBeGreaterThan(data.bytes);
    expect(lastLoss(steps)).toBeLessThan((steps[0]?.loss ?? 0) - 0.5);
  },
  TEST_MS_MAX,
);

test(
  "digits are drawn once, by whoever makes the room, and the second tab gets them from the first",
  async () => {
    const { data, watched } = await train("A network that learns to read digits", 120);
    expect(data.name).toBe("drawn-digits.csv");
    const steps = stepsOf(watched);
    expect(joinBytes(steps)).toBeGreaterThan(data.bytes);
    expect(lastLoss(steps)).toBeLessThan(0.8 * (steps[0]?.loss ?? 0));
  },
  TEST_MS_MAX,
);

test(
  "a tab whose GPU is emulated computes on the CPU, and says why in words for people",
  async () => {
    const room = await hearth.createRoom({ run: "addition", seed: 7, steps: 500 });
    const { page, trouble } = await hearth.open(`/room/${room}`);
    const reason = "This browser's GPU is emulated on the processor, so this tab computes on the CPU directly";
    await page.getByText(reason).first().waitFor();
    expect(await page.getByText("openWebGpuDevice").count()).toBe(0);
    expect(trouble).toEqual([]);
    await page.context().close();
  },
  TEST_MS_MAX,
);
