import { resolve } from "node:path";
import { expect, test } from "vitest";
import { OptionError } from "../../../src/base/errors.ts";
import { parseOptions, type SwarmOptions } from "../../../tools/swarm/options.ts";

const BASE = ["--tabs", "4", "--run", "char-gpt"];

function parse(...more: string[]): SwarmOptions {
  const options = parseOptions([...BASE, ...more]);
  if (options === "help") throw new OptionError("expected options, found help");
  return options;
}

test("what is left out gets a default", () => {
  expect(parse()).toEqual({
    tabs: 4,
    run: "char-gpt",
    text: null,
    from: null,
    steps: 60,
    seed: 0,
    checkpointEvery: null,
    faults: [],
    faultSeed: 0,
    devices: ["auto"],
    ice: ["all"],
    sharedProfile: false,
    paths: "auto",
    profile: null,
    resume: false,
    json: null,
    settings: {},
    port: null,
    headful: false,
    timeoutMs: null,
  });
});

test("every option of the contract is understood", () => {
  const options = parse(
    ...[
      "--text",
      "package.json",
      "--steps",
      "30",
      "--seed",
      "7",
      "--device",
      "webgpu,wasm",
      "--shared-profile",
      "--ice",
      "relay,all",
    ],
    ...["--profile", "kept", "--resume", "--json", "out.jsonl", "--set", "a=1", "--set", "b=x=y", "--timeout", "90"],
  );
  expect(options).toMatchObject({
    text: resolve("package.json"),
    steps: 30,
    seed: 7,
    faultSeed: 7,
    devices: ["webgpu", "wasm"],
    ice: ["relay", "all"],
    sharedProfile: true,
    paths: "auto",
    profile: resolve("kept"),
    resume: true,
    json: resolve("out.jsonl"),
    settings: { a: "1", b: "x=y" },
    timeoutMs: 90_000,
  });
});

test("faults keep the order of the command line across their options", () => {
  const { faults } = parse(
    ...["--kill", "2@20", "--join", "1@40", "--kill", "server@25", "--freeze", "1@15:30", "--leave", "3@10"],
    ...["--kill", "all@50"],
  );
  expect(faults).toEqual([
    { kind: "kill", tab: 2, step: 20 },
    { kind: "join", count: 1, step: 40 },
    { kind: "kill-server", step: 25 },
    { kind: "freeze", tab: 1, step: 15, seconds: 30 },
    { kind: "leave", tab: 3, step: 10 },
    { kind: "kill-all", step: 50 },
  ]);
});

test("--help wins over whatever else is wrong", () => {
  expect(parseOptions(["--help"])).toBe("help");
  expect(parseOptions([...BASE, "-h"])).toBe("help");
});

test.each([
  [["--run", "char-gpt"], "--tabs N is missing"],
  [["--tabs", "4"], "--run NAME is missing"],
  [[...BASE, "--tabs", "0"], '--tabs: expected a whole number from 1 to 64, found "0"'],
  [[...BASE, "--tabs", "four"], '--tabs: expected a whole number from 1 to 64, found "four"'],
  [[...BASE, "--steps", "1.5"], '--steps: expected a whole number from 1 to 1000000, found "1.5"'],
  [[...BASE, "--seed"], "--seed"],
  [[...BASE, "--sead", "1"], "Unknown option '--sead'"],
  [[...BASE, "more"], "Unexpected argument 'more'"],
  [[...BASE, "--run", "Char GPT"], '--run: expected a name such as char-gpt, found "Char GPT"'],
  [[...BASE, "--text", "no/such/file"], '--text: expected a file, found nothing at "no/such/file"'],
  [[...BASE, "--text", "/dev/null"], "--text: expected a file, found something else"],
  [[...BASE, "--ice", "none"], '--ice: expected all or relay, found "none"'],
  [[...BASE, "--device", "cuda"], '--device: expected auto, webgpu, wasm or reference, found "cuda"'],
  [[...BASE, "--set", "novalue"], '--set: expected key=value, found "novalue"'],
  [[...BASE, "--resume"], "--resume needs --profile DIR"],
  [[...BASE, "--kill", "2"], '--kill: expected I@S, gpu@S, server@S or all@S, found "2"'],
  [[...BASE, "--kill", "4@20"], "--kill 4@20: expected a tab from 0 to 3, found 4"],
  [[...BASE, "--kill", "1@61"], "--kill 1@61: expected a step from 1 to 60, found 61"],
])("%j is refused with one sentence", (argv, sentence) => {
  let thrown: unknown;
  try {
    parseOptions(argv);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(OptionError);
  const { message } = thrown as OptionError;
  expect(message).toContain(sentence);
  expect(message).not.toContain("\n");
});
