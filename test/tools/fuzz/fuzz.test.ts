/** Readers of strangers' files, a few thousand inputs each; `npm run fuzz` takes as many as one likes. */
import { expect, test } from "vitest";
import { CorruptDataError, UnsupportedError } from "../../../src/base/errors.ts";
import { fuzz } from "../../../tools/fuzz/run-fuzz.ts";
import { fuzzTargets } from "../../../tools/fuzz/targets.ts";
import type { FuzzTarget } from "../../../tools/fuzz/targets.ts";

const SEED = 20_260_414;
const nowMs = (): number => performance.now();

/** Patterns cost a compilation of a regular expression each. */
const INPUTS: Readonly<Record<string, number>> = { tokenizer: 1_500, pattern: 600 };

test.each(fuzzTargets)(
  "$name: changed files are read or refused in one clear sentence",
  { timeout: 60_000 },
  async (target) => {
    const { failure, accepted, refused } = await fuzz(target, {
      inputs: INPUTS[target.name] ?? 2_500,
      seed: SEED,
      nowMs,
    });
    expect(failure).toBeNull();
    // Inputs that are all refused, or all read, would test little.
    expect(accepted).toBeGreaterThan(20);
    expect(refused).toBeGreaterThan(100);
  },
);

function targetOf(read: (input: number) => number): FuzzTarget {
  return { name: "x", input: (random) => random.below(1_000).toString(), read: (input) => read(Number(input)) };
}

test("an error of another kind, one without a sentence, too large a result and a slow one are failures", async () => {
  const fail = async (target: FuzzTarget, now = nowMs): Promise<string | undefined> =>
    (await fuzz(target, { inputs: 50, seed: 1, nowMs: now })).failure?.what;
  const nothing: unknown = null;
  expect(await fail(targetOf(() => (nothing as { x: number }).x))).toMatch(/TypeError/);
  const vague = (): never => {
    throw new CorruptDataError("bad");
  };
  expect(await fail(targetOf(vague))).toBe('the message "bad"');
  expect(await fail(targetOf(() => 1e9))).toBe("1000000000 elements came out");
  let clock = 0;
  expect(
    await fail(
      targetOf(() => 1),
      () => (clock += 3_000),
    ),
  ).toBe("3000 ms");
  const clear = (): never => {
    throw new UnsupportedError("x: expected a, found b");
  };
  const report = await fuzz(targetOf(clear), { inputs: 50, seed: 1, nowMs });
  expect(report).toMatchObject({ failure: null, refused: 50, accepted: 0, inputs: 50 });
});
