/** A run in one real tab, its page traced by Chromium itself from the first committed step to the last. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CDPSession, Page } from "playwright-core";
import type { Clock } from "../../src/base/clock.ts";
import { UnsupportedError } from "../../src/base/errors.ts";
import { sleep, withDeadline } from "../../src/base/wait.ts";
import { BrowserProcess } from "../swarm/chromium.ts";
import { Observer } from "../swarm/observer.ts";
import type { SwarmOptions } from "../swarm/options.ts";
import type { ProcessGroups } from "../swarm/processes.ts";
import { createRoom } from "../swarm/room.ts";
import { freePort, REAL_SERVER, ServerProcess } from "../swarm/server-process.ts";
import { isTelling, mainThreadTasks, type MainThreadTask, type TraceEvent } from "./main-thread.ts";

export interface TraceResult {
  /** The longest first. */
  readonly tasks: readonly MainThreadTask[];
  /** Between the first and the last committed step. */
  readonly steps: number;
  readonly seconds: number;
}

const CATEGORIES = ["toplevel", "devtools.timeline", "disabled-by-default-devtools.timeline", "__metadata"];
/** Some minutes of one page. */
const BUFFER_KILOBYTES = 400_000;
const STAMP = "hearth trace";
const START_MS_MAX = 120_000;
const STEP_MS_MAX = 30_000;
const TRACE_MS_MAX = 60_000;
const POLL_MS = 20;

/** Trains `options.run` in one tab. @throws DeadlineError, PeerLostError, UnsupportedError */
export async function traceRun(options: SwarmOptions, clock: Clock, groups: ProcessGroups): Promise<TraceResult> {
  const directory = mkdtempSync(join(tmpdir(), "hearth-trace-"));
  const port = await freePort(options.port);
  const server = new ServerProcess({ program: REAL_SERVER, port, directory, clock, groups });
  let browser: BrowserProcess | null = null;
  try {
    await server.start();
    const room = await createRoom(server.origin, options, { data: null, from: null });
    browser = await BrowserProcess.launch({ profile: join(directory, "tab"), headful: options.headful, clock, groups });
    const page = browser.context.pages()[0] ?? (await browser.context.newPage());
    const steps = new Steps(server.origin, room, clock);
    await page.goto(`${server.origin}/room/${room}?device=${options.devices[0]}`);
    const trace = await traceSteps(page, steps, options.steps, clock);
    steps.close();
    return trace;
  } finally {
    await browser?.close();
    await server.stop();
    groups.endAll();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function traceSteps(page: Page, steps: Steps, last: number, clock: Clock): Promise<TraceResult> {
  await steps.reached(1, START_MS_MAX);
  const session = await page.context().newCDPSession(page);
  const events: TraceEvent[] = [];
  session.on("Tracing.dataCollected", ({ value }) => {
    for (const event of value as unknown as TraceEvent[]) if (isTelling(event)) events.push(event);
  });
  await session.send("Tracing.start", {
    transferMode: "ReportEvents",
    traceConfig: { includedCategories: CATEGORIES, traceBufferSizeInKb: BUFFER_KILOBYTES },
  });
  const first = steps.step;
  const startMs = clock.nowMs();
  await page.evaluate(`console.timeStamp(${JSON.stringify(STAMP)})`);
  for (let step = first + 1; step <= last; step++) await steps.reached(step, STEP_MS_MAX);
  const seconds = (clock.nowMs() - startMs) / 1000;
  await withDeadline("ending the trace", stop(session), clock, { deadlineMs: TRACE_MS_MAX });
  return { tasks: mainThreadTasks(events, STAMP), steps: last - first, seconds };
}

/** @throws UnsupportedError when the browser could not keep all events: then the longest task may be among the lost */
async function stop(session: CDPSession): Promise<void> {
  const complete = new Promise<boolean>((resolve) =>
    session.once("Tracing.tracingComplete", ({ dataLossOccurred }) => resolve(dataLossOccurred)),
  );
  await session.send("Tracing.end");
  if (await complete) throw new UnsupportedError("trace: expected all events, found that the browser lost some");
}

/** The room's committed steps, as an observer hears them. */
class Steps {
  readonly #observer: Observer;
  readonly #clock: Clock;

  constructor(origin: string, room: string, clock: Clock) {
    this.#clock = clock;
    const ignore = (): void => {};
    const onRecorded = ignore;
    this.#observer = new Observer({
      origin,
      room,
      earlier: [],
      clock,
      onRecorded,
      onRoster: ignore,
      onRefused: ignore,
    });
  }

  get step(): number {
    return this.#observer.recorder.lastStep;
  }

  async reached(step: number, deadlineMs: number): Promise<void> {
    const controller = new AbortController();
    const wait = async (): Promise<void> => {
      while (this.step < step) await sleep(POLL_MS, this.#clock, controller.signal);
    };
    await withDeadline(`step ${step}`, wait(), this.#clock, { deadlineMs }).finally(() => controller.abort());
  }

  close(): void {
    this.#observer.close();
  }
}
