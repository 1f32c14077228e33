/** The driver against a fake server that trains nothing, in real browsers: tabs, faults, lines, outcomes. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { RunLine } from "../../src/network/wire/run-line.ts";
import { findChromium } from "../../tools/swarm/chromium.ts";
import { lossesOf } from "../../tools/swarm/compare.ts";
import { parseOptions } from "../../tools/swarm/options.ts";
import { commandOf, ProcessGroups } from "../../tools/swarm/processes.ts";
import type { SwarmResult } from "../../tools/swarm/result.ts";
import { runSwarm, type SwarmHooks } from "../../tools/swarm/run-swarm.ts";
import { WATCHDOG_LIMITS } from "../../tools/swarm/watchdog.ts";
import { fakeLoss } from "../tools/fixtures/fake-hearth.ts";

const SERVER = { main: join(import.meta.dirname, "../tools/fixtures/fake-hearth.ts") };
const TEST_MS_MAX = 120_000;
/** However long browsers take to start here: the last steps wait for three members. */
const THREE_AT_THE_END = "--set stepMs=150 --set waitAt=38 --set waitFor=3";

let directory = "";
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), "hearth-test-"))));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Remembers every process that was started, ended ones too. */
class WatchedGroups extends ProcessGroups {
  readonly started: number[] = [];
  override add(pid: number): void {
    this.started.push(pid);
    super.add(pid);
  }
}

async function swarm(args: string, hooks: SwarmHooks = {}): Promise<SwarmResult> {
  const options = parseOptions(["--run", "fake", "--profile", directory, ...args.split(" ")]);
  if (options === "help") return expect.fail("expected options");
  const groups = new WatchedGroups();
  const result = await runSwarm(options, { server: SERVER, groups, ...hooks });
  expect(groups.pids).toEqual([]);
  // Each process was ended: what is left of one, at most, is a number without a command line.
  expect(groups.started.map(commandOf)).toEqual(groups.started.map(() => ""));
  return result;
}

function stepsOf(lines: readonly RunLine[]): number[] {
  return lines.flatMap((line) => (line.type === "step" ? [line.step] : []));
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, at) => first + at);
}

function at(lines: readonly RunLine[], isWanted: (line: RunLine) => boolean): number {
  const found = lines.findIndex(isWanted);
  expect(found).toBeGreaterThanOrEqual(0);
  return found;
}

const hasBrowser = findChromium() !== null;

test.skipIf(!hasBrowser)(
  "tabs are killed, frozen, closed and added in one run, the server dies, and every step has one line",
  async () => {
    const json = join(directory, "lines.json");
    const faults = "--leave 3@7 --freeze 1@9:2.5 --kill 2@12 --join 1@18 --kill server@30";
    const result = await swarm(`--tabs 4 --steps 40 --seed 5 ${faults} --json ${json} ${THREE_AT_THE_END}`);
    expect(result.reason).toBe("all 40 steps are committed, the digests of 3 tabs are equal");
    expect(result.exitCode).toBe(0);
    const { lines, summary } = result;
    expect(stepsOf(lines)).toEqual(range(1, 40));
    for (const [step, loss] of lossesOf(lines)) expect(loss).toBe(fakeLoss(step));
    expect(readFileSync(json, "utf8")).toBe(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
    expect(lines.at(-1)?.type).toBe("end");
    const struck = lines.flatMap((line) => (line.type === "fault" ? [`${line.kind}@${line.step}`] : []));
    expect(struck).toEqual(["leave@7", "freeze@9", "kill@12", "join@18", "kill-server@30"]);
    for (const line of lines) {
      // A fault stands between the lines of the step before and of its own.
      if (line.type === "fault") {
        expect(lines.indexOf(line)).toBeGreaterThan(at(lines, (l) => l.type === "step" && l.step === line.step - 1));
      }
    }
    const peers = result.tabs.map((tab) => tab.peer ?? "");
    const events = lines.flatMap((line) =>
      line.type === "member" ? [`${line.event} ${peers.indexOf(line.peer)}`] : [],
    );
    for (const event of ["leave 3", "lost 1", "lost 2", "join 1", "join 4"]) expect(events).toContain(event);
    expect(result.tabs.map(({ goneReason }) => goneReason)).toEqual([null, null, "killed", "left", null]);
    expect(summary).toMatchObject({ steps: 40, rollbacks: 0, incarnations: 2, faults: 5, endDigests: 3 });
    // The pages complain once each time that they join: heard, and written down.
    expect(result.tabs[0]?.trouble[0]).toContain("fake trouble on device-");
    expect(readFileSync(join(directory, "tab-0.log"), "utf8")).toContain("fake trouble on device-");
  },
  TEST_MS_MAX,
);

test.skipIf(!hasBrowser)(
  "everything is killed, and the same command goes on with other tabs, on the same origin and storage",
  async () => {
    const data = join(directory, "data.txt");
    writeFileSync(data, "some text");
    const json = join(directory, "lines.json");
    const common = `--run fake --steps 20 --text ${data} --json ${json} --kill all@8 --set stepMs=150 --set waitAt=18 --set waitFor=2`;
    const killed = await swarm(`--tabs 3 ${common}`);
    expect(killed.exitCode).toBe(3);
    expect(killed.lines.at(-1)).toEqual({ type: "fault", kind: "kill-all", step: 8 });
    const devices = [...killed.tabs].map((tab) => tab.trouble[0]);

    const resumed = await swarm(`--tabs 2 ${common} --resume`);
    expect(resumed.reason).toBe("all 20 steps are committed, the digests of 2 tabs are equal");
    expect(resumed.exitCode).toBe(0);
    expect(resumed.url).toBe(killed.url);
    expect(resumed.tabs.map((tab) => tab.trouble[0])).toEqual(devices.slice(0, 2));
    const all = [...killed.lines, ...resumed.lines];
    const back = at(all, (line) => line.type === "rollback");
    expect(all[back]).toEqual({ type: "rollback", to: 5 });
    expect(stepsOf(all.slice(back))).toEqual(range(6, 20));
    expect(readFileSync(json, "utf8")).toBe(all.map((line) => `${JSON.stringify(line)}\n`).join(""));
    expect(resumed.lines.some((line) => line.type === "fault")).toBe(false);
    for (const [step, loss] of lossesOf(all)) expect(loss).toBe(fakeLoss(step));

    const again = await swarm(`--tabs 2 ${common} --resume`);
    expect(again).toMatchObject({ exitCode: 0, lines: [] });
    await expect(swarm(`--tabs 2 ${common} --seed 9 --resume`)).rejects.toThrow("expected --seed 0");
  },
  TEST_MS_MAX,
);

test.skipIf(!hasBrowser)(
  "tabs of one browser are killed, frozen and closed one by one",
  async () => {
    const faults = "--kill 0@7 --freeze 1@9:2.5 --leave 2@12 --join 1@14";
    const result = await swarm(`--tabs 4 --steps 40 --shared-profile ${faults} ${THREE_AT_THE_END}`);
    expect(result.reason).toBe("all 40 steps are committed, the digests of 3 tabs are equal");
    expect(stepsOf(result.lines)).toEqual(range(1, 40));
    expect(result.tabs.map(({ goneReason }) => goneReason)).toEqual(["killed", null, "left", null, null]);
    expect(new Set(result.tabs.map((tab) => tab.trouble[0])).size).toBe(1);
    const peers = result.tabs.map((tab) => tab.peer ?? "");
    const events = result.lines.flatMap((line) =>
      line.type === "member" ? [`${line.event} ${peers.indexOf(line.peer)}`] : [],
    );
    for (const event of ["lost 0", "lost 1", "leave 2", "join 1", "join 4"]) expect(events).toContain(event);
    expect(existsSync(join(directory, "shared"))).toBe(true);
  },
  TEST_MS_MAX,
);

test.skipIf(!hasBrowser)(
  "a run that hangs is ended with what every tab says",
  async () => {
    const limits = { ...WATCHDOG_LIMITS, silenceMsMax: 2_000 };
    const result = await swarm("--tabs 2 --steps 20 --set hangAt=7", { limits });
    expect(result).toMatchObject({ exitCode: 1, reason: "no step was committed for 2 s while 2 tabs lived" });
    expect(result.tabs.map((tab) => tab.words)).toEqual(["phase training", "phase training"]);
    expect(stepsOf(result.lines)).toEqual(range(1, 6));
  },
  TEST_MS_MAX,
);

test.skipIf(!hasBrowser)(
  "failures are told apart: unequal digests, refused pages, no tab left, an unknown run, an interruption",
  async () => {
    const unequal = await swarm("--tabs 2 --steps 12 --set differAt=10");
    expect(unequal).toMatchObject({ exitCode: 1, reason: "devices hold different parameters: 10" });
    const stopped = await swarm("--tabs 1 --set stop=no-such-engine");
    expect(stopped).toMatchObject({
      exitCode: 1,
      reason: "every tab has stopped: phase stopped: no-such-engine",
    });
    const deserted = await swarm("--tabs 1 --steps 20 --kill 0@5");
    expect(deserted.exitCode).toBe(1);
    expect(deserted.reason).toMatch(/^no tab is left at step [4-9]$/);
    await expect(swarm("--tabs 1 --run nothing")).rejects.toThrow('creating the room: there is no run "nothing"');
    const controller = new AbortController();
    const onLine = (line: RunLine): void => {
      if (line.type === "step" && line.step === 3) controller.abort();
    };
    const interrupted = await swarm("--tabs 1 --steps 20", { signal: controller.signal, onLine });
    expect(interrupted).toMatchObject({ exitCode: 1, reason: "the run was interrupted" });
    expect(stepsOf(interrupted.lines)).toEqual([1, 2, 3]);
  },
  TEST_MS_MAX,
);
