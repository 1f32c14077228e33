/**
 * Random sequences of transformations on random nests. What is accepted keeps the result, and no pair of dependent uses
 * has changed places; what is refused for a dependence has such a pair: both by trying every pair.
 */
import { expect, test } from "vitest";
import { describeError, OptionError, ScheduleError } from "../../../../src/base/errors.ts";
import { Random } from "../../../../src/base/random.ts";
import type { Kernel } from "../../../../src/compute/lang/kernel.ts";
import { compileJavaScript, printJavaScript } from "../../../../src/compute/lang/print-javascript.ts";
import type { LoopNest } from "../../../../src/compute/lang/schedule/loop-nest.ts";
import { lowerNest } from "../../../../src/compute/lang/schedule/lower-nest.ts";
import { runBounded } from "../run-bounded.ts";
import { brokenBy } from "./broken-by.ts";
import { randomChange } from "./random-change.ts";
import { randomNest, randomValues, type NestType } from "./random-nest.ts";
import { runNest } from "./run-nest.ts";

const NESTS = Number(process.env["HEARTH_SCHEDULE_NESTS"] ?? 300);
const SEED = Number(process.env["HEARTH_SCHEDULE_SEED"] ?? 1);
const CHANGES_MAX = 8;

type Arrays = (Float32Array | Int32Array)[];

/** What became of the changes tried. */
interface Counts {
  accepted: number;
  refused: number;
  assumed: number;
  misused: number;
}

/** The nest after a few random changes, each of which was rightly accepted or refused. */
function changed(random: Random, start: LoopNest, arrays: Arrays, counts: Counts, words: string[]): LoopNest {
  let nest = start;
  const tries = 1 + random.below(CHANGES_MAX);
  for (let i = 0; i < tries; i++) {
    const { words: own, apply, change } = randomChange(random, nest, i > tries / 2);
    const broken = change && brokenBy(nest, runNest(nest, arrays).uses, change);
    try {
      const next = apply(nest);
      if (broken !== undefined) expect.fail(`${words.join(" ")} ${own}: accepted, but it breaks ${describe(broken)}`);
      nest = next;
      words.push(own);
      counts.accepted += 1;
    } catch (error) {
      if (error instanceof OptionError) {
        counts.misused += 1;
      } else if (error instanceof ScheduleError && error.message.includes("which may be")) {
        counts.assumed += 1;
      } else if (error instanceof ScheduleError) {
        if (broken === undefined) expect.fail(`${words.join(" ")}: breaks nothing, yet ${error.message}`);
        counts.refused += 1;
      } else {
        throw new Error(`${words.join(" ")} ${own}`, { cause: error });
      }
    }
  }
  return nest;
}

function describe(pair: readonly unknown[]): string {
  return JSON.stringify(pair.map((use) => ({ ...(use as object), assign: undefined })));
}

/** The arrays after a kernel on JavaScript, watched for races. */
function run(kernel: Kernel, arrays: Arrays, context: string): Arrays {
  const out = arrays.map((array) => array.slice()) as Arrays;
  try {
    compileJavaScript(printJavaScript(kernel, { checksRaces: true }))(out, 0, kernel.invocations);
  } catch (error) {
    expect.fail(`${context}: ${describeError(error)}`);
  }
  return out;
}

function check(type: NestType): Counts {
  const counts: Counts = { accepted: 0, refused: 0, assumed: 0, misused: 0 };
  for (let seed = SEED; seed < SEED + NESTS; seed++) {
    const random = new Random(seed, "schedule", type);
    const nest = randomNest(random, type);
    const arrays = randomValues(random, nest);
    const words = [`seed ${seed}: ${nest.name}:`];
    const last = changed(random, nest, arrays, counts, words);
    const context = words.join(" ");
    const found = run(lowerNest(last), arrays, context);
    if (type === "i32") {
      const expected = runNest(nest, arrays).arrays;
      expect(found, context).toEqual(expected);
      expect(runNest(last, arrays).arrays.slice(0, arrays.length), context).toEqual(expected);
      continue;
    }
    for (const [i, values] of runBounded(lowerNest(nest), arrays).entries()) {
      for (const [at, { value, bound }] of values.entries()) {
        // The store itself rounds once more.
        const difference = Math.abs((found[i]?.[at] ?? Number.NaN) - value);
        expect(difference, `${context}: array ${i}[${at}]`).toBeLessThanOrEqual(bound + Math.abs(value) * 2 ** -24);
      }
    }
  }
  return counts;
}

for (const type of ["i32", "f32"] as const) {
  const promise = type === "i32" ? "to the bit" : "within the bounds of f32";
  test(`${NESTS} random nests of ${type} keep their result ${promise}, or say what would break (seeds from ${SEED})`, () => {
    const counts = check(type);
    // There must be enough of each to prove something.
    expect(counts.accepted).toBeGreaterThan(NESTS);
    expect(counts.refused).toBeGreaterThan(NESTS / 10);
    if (process.env["HEARTH_SCHEDULE_COUNTS"] !== undefined) console.log(type, counts);
  });
}
