/** Real training steps that were made to fit: how far down they go, at what price. Figures are in ARCHITECTURE.md. */
import { describe, expect, test } from "vitest";
import { fitMemory, type Fit, type FitOptions } from "../../../src/compute/compiler/fit-memory.ts";
import { capture, type Captured } from "./fit/captured-steps.ts";
import { boundOf, expectSame } from "./fit/interpret.ts";
import { deepStep, gptStep, imageStep, recurrentStep } from "./fit/models.ts";

type Allows = FitOptions["allows"];
const RECOMPUTE: Allows = { recompute: true, offload: false };
const OFFLOAD: Allows = { recompute: false, offload: true };
const BOTH: Allows = { recompute: true, offload: true };

/** A step, the part of its memory that it can do with by recomputing and by moving, and the price of half of it. */
const STEPS = [
  { name: "a small GPT", step: gptStep(8, 64), recompute: 0.3, offload: 0.25, half: 0.15 },
  { name: "a GPT of six blocks", step: gptStep(8, 64, { layers: 6 }), recompute: 0.15, offload: 0.15, half: 0.15 },
  { name: "a convolutional net", step: imageStep(8, 32, 3), recompute: 0.4, offload: 0.4, half: 0.2 },
  { name: "a deep net", step: deepStep(64, 64, 32), recompute: 0.15, offload: 0.15, half: 0.2 },
  // Its steps' gradients are put together in arrays of all steps, two of which are alive at once.
  { name: "an LSTM", step: recurrentStep(16, 32, 64), recompute: 1, offload: 0.7, half: undefined },
];

/** A plan for a part of the memory that `captured` takes, that does the same. */
function fitted({ steps, facts }: Captured, part: number, allows: Allows): Fit & { part: number } {
  const bound = boundOf(steps, facts);
  const fit = fitMemory(steps, { ...facts, targetBytes: part * bound, allows });
  expectSame(steps, facts, fit.steps, fit.boundBytes);
  return { ...fit, part: fit.boundBytes / bound };
}

describe.each(STEPS)("$name", ({ step, recompute, offload, half }) => {
  let once: Promise<Captured> | undefined;
  const captured = (): Promise<Captured> => (once ??= capture(step));

  test("computes the same with less memory, whatever is allowed", async () => {
    const made = await captured();
    expect(fitted(made, 0, RECOMPUTE).part).toBeLessThanOrEqual(recompute);
    expect(fitted(made, 0, OFFLOAD).part).toBeLessThanOrEqual(offload);
    expect(fitted(made, 0, BOTH).part).toBeLessThanOrEqual(offload);
    for (const part of [0.9, 0.7, 0.5, 0.3])
      for (const allows of [RECOMPUTE, OFFLOAD, BOTH]) fitted(made, part, allows);
  });

  test("gets what was said to be the least", async () => {
    const made = await captured();
    for (const allows of [RECOMPUTE, OFFLOAD, BOTH]) {
      const { part } = fitted(made, 0, allows);
      expect(fitted(made, part, allows).part).toBeLessThanOrEqual(part);
    }
  });

  if (half === undefined) return;
  test("does with half of its memory for little, and moves nothing", async () => {
    const fit = fitted(await captured(), 0.5, BOTH);
    expect(fit.part).toBeLessThanOrEqual(0.5);
    expect(fit.extraCost).toBeLessThanOrEqual(half);
    expect(fit.offloaded).toBe(0);
  });
});
