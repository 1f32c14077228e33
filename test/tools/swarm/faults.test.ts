import { expect, test } from "vitest";
import { OptionError } from "../../../src/base/errors.ts";
import type { Clock } from "../../../src/base/clock.ts";
import { FaultRunner, type FaultTarget } from "../../../tools/swarm/fault-runner.ts";
import { checkFaults, faultDelayMs, faultText, parseFault, withoutDone } from "../../../tools/swarm/faults.ts";
import { stepLine } from "../fixtures/fake-hearth.ts";

test.each([
  "--kill 2@20",
  "--leave 0@1",
  "--freeze 1@15:0.5",
  "--join 3@40",
  "--kill gpu@9",
  "--kill server@25",
  "--kill all@30",
])("%s reads back as it was written", (text) => {
  const [flag = "", value = ""] = text.slice(2).split(" ");
  expect(faultText(parseFault(flag as "kill", value))).toBe(text);
});

test.each([
  ["kill", "2@0"],
  ["kill", "-1@3"],
  ["kill", "2@3:5"],
  ["leave", "server@3"],
  ["freeze", "1@3"],
  ["freeze", "1@3:0"],
  ["freeze", "all@3:1"],
  ["join", "0@3"],
] as const)("--%s %s is refused", (flag, value) => {
  expect(() => parseFault(flag, value)).toThrow(OptionError);
});

test("a tab that joins can be hit in later steps, one that is gone cannot", () => {
  const join = parseFault("join", "1@10");
  expect(() => checkFaults([join, parseFault("kill", "2@11")], 2, 20)).not.toThrow();
  expect(() => checkFaults([join, parseFault("kill", "2@10")], 2, 20)).toThrow("expected a tab from 0 to 1, found 2");
  const kill = parseFault("kill", "1@5");
  expect(() => checkFaults([parseFault("freeze", "1@9:1"), kill], 2, 20)).toThrow(
    "tab 1 is gone by then, since step 5",
  );
});

test("each fault that is done takes away one of the same text, and places stay", () => {
  const faults = [parseFault("kill", "server@5"), parseFault("join", "1@5"), parseFault("kill", "server@5")];
  const left = withoutDone(faults, ["--kill server@5"]);
  expect(left.map(({ index }) => index)).toEqual([1, 2]);
  expect(withoutDone(faults, ["--kill server@5", "--join 1@5", "--kill server@5"])).toEqual([]);
});

test("the moment is a fraction of the median step, and a function of the seed and the fault's place", () => {
  const recentMs = [100, 5_000, 120, 110, 90];
  const delays = Array.from({ length: 200 }, (_, seed) => faultDelayMs(seed, 0, recentMs));
  expect(delays).toEqual(Array.from({ length: 200 }, (_, seed) => faultDelayMs(seed, 0, recentMs)));
  expect(Math.min(...delays)).toBeGreaterThanOrEqual(2);
  expect(Math.max(...delays)).toBeLessThan(110);
  // Spread over the step: 200 draws leave a quarter of it empty with probability under 1e-24.
  for (const quarter of [0, 1, 2, 3]) {
    expect(delays.some((ms) => Math.floor(ms / 27.5) === quarter)).toBe(true);
  }
  expect(faultDelayMs(7, 1, recentMs)).not.toBe(faultDelayMs(7, 0, recentMs));
});

/** A clock whose time stands still, and whose timers fire when told. */
class ManualClock implements Clock {
  readonly timers: { delayMs: number; callback: () => void }[] = [];
  nowMs(): number {
    return 0;
  }
  wallMs(): number {
    return 0;
  }
  after(delayMs: number, callback: () => void): () => void {
    const timer = { delayMs, callback };
    this.timers.push(timer);
    return () => this.timers.splice(this.timers.indexOf(timer), 1);
  }
  fire(): void {
    for (const timer of this.timers.splice(0)) timer.callback();
  }
}

function recordingTarget(): { struck: string[]; target: FaultTarget } {
  const struck: string[] = [];
  const target: FaultTarget = {
    announce: (fault) => struck.push(faultText(fault)),
    kill: () => true,
    leave: () => false,
    freeze: () => true,
    join: () => {},
    killGpu: () => false,
    killServer: () => {},
    killAll: () => {},
    note: (text) => struck.push(text),
  };
  return { struck, target };
}

test("a fault strikes once, after the step before its own, and says when it came too late for its tab", () => {
  const clock = new ManualClock();
  const { struck, target } = recordingTarget();
  const faults = [
    parseFault("kill", "0@1"),
    parseFault("leave", "1@3"),
    parseFault("kill", "gpu@3"),
    parseFault("kill", "server@9"),
  ];
  const planned = faults.map((fault, index) => ({ fault, index }));
  const runner = new FaultRunner({ faults: planned, seed: 1, lastStep: 0, clock, target });
  runner.onRunning(1);
  runner.onRunning(1);
  clock.fire();
  expect(struck).toEqual(["--kill 0@1"]);
  runner.onStep(stepLine(1, 1, 1, ["a"], ""));
  expect(runner.isStriking).toBe(false);
  runner.onStep(stepLine(2, 1, 1, ["a"], ""));
  expect(runner.isStriking).toBe(true);
  expect(clock.timers[0]?.delayMs).toBeLessThan(100);
  clock.fire();
  expect(struck.slice(1)).toEqual([
    "--leave 1@3",
    "--leave 1@3: the tab was not there",
    "--kill gpu@3",
    "--kill gpu@3: its process was not there",
  ]);
  expect(runner.left.map(faultText)).toEqual(["--kill server@9"]);
});

test("a resumed run passes over faults of steps that were over, and meets them after a rollback", () => {
  const clock = new ManualClock();
  const { struck, target } = recordingTarget();
  const faults = [{ fault: parseFault("kill", "0@8"), index: 0 }];
  const runner = new FaultRunner({ faults, seed: 1, lastStep: 10, clock, target });
  runner.onRunning(11);
  expect(runner.isStriking).toBe(false);
  runner.onRollback(5);
  runner.onStep(stepLine(7, 2, 2, ["a"], ""));
  clock.fire();
  expect(struck).toEqual(["--kill 0@8"]);
});

test("a fault that is near when the run ends does not strike, and is named as left", () => {
  const clock = new ManualClock();
  const { struck, target } = recordingTarget();
  const faults = [{ fault: parseFault("kill", "0@1"), index: 0 }];
  const runner = new FaultRunner({ faults, seed: 1, lastStep: 0, clock, target });
  runner.onRunning(1);
  runner.close();
  clock.fire();
  expect(struck).toEqual([]);
  expect(runner.left.map(faultText)).toEqual(["--kill 0@1"]);
});
