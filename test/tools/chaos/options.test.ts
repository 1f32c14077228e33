import { expect, test } from "vitest";
import { parseChaosOptions, USAGE, type ChaosOptions } from "../../../tools/chaos/options.ts";
import { CHAOS_KINDS } from "../../../tools/chaos/schedule.ts";

const NEEDED = "--tabs 8 --minutes 4 --every 15";

function parse(text: string): ChaosOptions {
  const options = parseChaosOptions(text.split(" "));
  return options === "help" ? expect.fail("expected options") : options;
}

test("three options are needed, and the rest has defaults", () => {
  const options = parse(NEEDED);
  expect(options).toMatchObject({ durationMs: 240_000, everyMs: 15_000, undisturbedMs: 60_000, isStrict: false });
  expect(options.swarm).toMatchObject({ tabs: 8, run: "addition", devices: ["wasm"], seed: 0, sharedProfile: false });
  expect(options.kinds).toEqual(Object.keys(CHAOS_KINDS));
  expect(() => parse("--tabs 8 --minutes 4")).toThrow("--every S is missing: seconds between two faults");
});

test("kinds can be chosen, and the undisturbed run is no longer than the other", () => {
  const options = parse("--tabs 2 --minutes 0.5 --every 5 --faults cut,kill --seed 7 --strict");
  expect(options).toMatchObject({ kinds: ["cut", "kill"], undisturbedMs: 30_000, isStrict: true });
  expect(options.swarm).toMatchObject({ seed: 7, faultSeed: 7 });
});

test("what does not fit is refused with a sentence", () => {
  expect(() => parse("--tabs 1 --minutes 4 --every 15")).toThrow(
    "--tabs: expected at least 2, so that one is well, found 1",
  );
  expect(() => parse(`${NEEDED} --faults cut,storm`)).toThrow(/--faults: expected some of kill, .*, found "storm"/);
  expect(() => parse("--tabs 2 --minutes 1 --every 61")).toThrow("--every: expected a number from 1 to 60, found");
  expect(() => parse(`${NEEDED} --profile ${import.meta.dirname}`)).toThrow(
    "--profile: expected a new or empty folder",
  );
  expect(() => parse(`${NEEDED} --nonsense`)).toThrow("--help lists what there is");
  expect(parseChaosOptions(["--help"])).toBe("help");
  for (const kind of Object.keys(CHAOS_KINDS)) expect(USAGE).toContain(kind);
});
