/** Plans that were made to fit: they do the same, and take what they say. */
import { expect, test } from "vitest";
import { Random } from "../../../src/base/random.ts";
import { fitMemory, type Fit, type FitOptions } from "../../../src/compute/compiler/fit-memory.ts";
import type { Node } from "../../../src/compute/compiler/ir.ts";
import { boundOf, expectSame } from "./fit/interpret.ts";
import { ALIGNMENT, anySteps, chain, kernel, LAYER_BYTES, leaf, value, type MadeUp } from "./fit/made-up-steps.ts";

type Allows = FitOptions["allows"];
const RECOMPUTE: Allows = { recompute: true, offload: false };
const OFFLOAD: Allows = { recompute: false, offload: true };
const BOTH: Allows = { recompute: true, offload: true };
const WAYS = [RECOMPUTE, OFFLOAD, BOTH, { recompute: false, offload: false }];
const SEED = 11;

/** A plan that does what `steps` did. */
function fitted({ steps, facts }: MadeUp, targetBytes: number, allows: Allows): Fit {
  const fit = fitMemory(steps, { ...facts, targetBytes, allows });
  expectSame(steps, facts, fit.steps, fit.boundBytes);
  return fit;
}

test("steps that fit stay as they are", () => {
  const { steps, facts } = chain(8);
  const fit = fitted({ steps, facts }, boundOf(steps, facts), BOTH);
  expect(fit.steps).toEqual(steps.map((kernels) => ({ kind: "compute", kernels })));
  expect([fit.recomputed, fit.offloaded, fit.offloadedBytes, fit.extraCost]).toEqual([0, 0, 0, 0]);
});

test("half of the memory of a chain costs less than its layers once more", () => {
  const made = chain(32);
  const fit = fitted(made, boundOf(made.steps, made.facts) / 2, RECOMPUTE);
  expect(fit.boundBytes).toBeLessThanOrEqual(boundOf(made.steps, made.facts) / 2);
  expect(fit.recomputed).toBeLessThanOrEqual(32);
  expect(fit.offloaded).toBe(0);
});

test("a chain of N layers can be computed with 2 sqrt(N) of them in memory, without moving any", () => {
  for (const layers of [16, 64, 256]) {
    const fit = fitted(chain(layers), 0, RECOMPUTE);
    expect(fit.boundBytes / LAYER_BYTES).toBeLessThanOrEqual(2 * Math.sqrt(layers));
  }
});

test("a chain of any length can be computed with three layers in memory, if they are moved", () => {
  for (const layers of [16, 64, 256]) expect(fitted(chain(layers), 0, OFFLOAD).boundBytes).toBe(3 * LAYER_BYTES);
});

test("what is said to be the least can be had when it is asked for", () => {
  const some = Array.from({ length: 40 }, (_, i) => anySteps(new Random(SEED, "least", i), 10 + i));
  for (const made of [chain(48), ...some]) {
    for (const allows of [RECOMPUTE, OFFLOAD, BOTH]) {
      const least = fitted(made, 0, allows).boundBytes;
      expect(fitted(made, least, allows).boundBytes).toBeLessThanOrEqual(least);
    }
  }
});

test("values are moved only where recomputing does not do it at a sane price", () => {
  const made = chain(64);
  const bound = boundOf(made.steps, made.facts);
  expect(fitted(made, bound / 2, BOTH)).toMatchObject({ offloaded: 0 });
  expect(fitted(made, 3 * LAYER_BYTES, BOTH).offloaded).toBeGreaterThan(0);
});

test("what was computed from a leaf that has changed since is not computed again", () => {
  const [state, x] = [leaf(1024), leaf(LAYER_BYTES)];
  const [key, next] = [value(256), value(1024)];
  const [mask, other, more, last] = [value(LAYER_BYTES), value(LAYER_BYTES), value(LAYER_BYTES), value(LAYER_BYTES)];
  const steps = [
    [kernel("key", [key], [state])],
    [kernel("count", [next], [state])],
    [kernel("mask", [mask], [key])],
    [kernel("other", [other], [x])],
    [kernel("more", [more], [other])],
    [kernel("last", [last], [mask, x])],
  ];
  const isInner = (node: Node): boolean => node.primitive.kind !== "buffer" && node !== next;
  const facts = { alignment: ALIGNMENT, isInner, keptToEnd: new Set<Node>(), overwrites: new Map([[next, state]]) };
  const fit = fitted({ steps, facts }, 0, RECOMPUTE);
  // The mask is made again of its key, which stays; the key could not be.
  const names = fit.steps.flatMap((step) =>
    step.kind === "compute" ? step.kernels.map((made) => made.kernel.name) : [],
  );
  expect(names).toEqual(["key", "count", "mask", "other", "more", "mask", "last"]);
  expect(fit.boundBytes).toBe(2 * LAYER_BYTES + 256);
});

test("a value that is kept to the end is there under its own node", () => {
  const made = chain(12);
  const [kept] = made.steps[3]?.[0]?.outputs ?? [];
  const facts = { ...made.facts, keptToEnd: new Set(kept === undefined ? [] : [kept]) };
  for (const allows of [RECOMPUTE, OFFLOAD]) {
    const { steps } = fitted({ steps: made.steps, facts }, 0, allows);
    const makers = steps.filter((step) => {
      return step.kind === "compute" ? step.kernels.some(({ outputs }) => outputs.some((node) => node === kept)) : step.node === kept && step.kind === "reload"; // prettier-ignore
    });
    expect(makers).toHaveLength(1);
  }
});

test("any steps do the same with any limit, and take what they say", () => {
  for (let i = 0; i < 300; i++) {
    const random = new Random(SEED, i);
    const made = anySteps(random, 5 + random.below(76));
    const bound = boundOf(made.steps, made.facts);
    for (const allows of WAYS) {
      const target = random.below(3) === 0 ? 0 : random.below(bound + 1);
      const fit = fitted(made, target, allows);
      expect(fit.boundBytes, `step ${i} of seed ${SEED}`).toBeLessThanOrEqual(bound);
      if (!allows.offload) expect(fit.offloaded).toBe(0);
      if (!allows.recompute) expect(fit.recomputed).toBe(0);
    }
  }
});

test("the same steps give the same plan", () => {
  for (let i = 0; i < 20; i++) {
    const names = (): unknown => {
      const { steps, facts } = anySteps(new Random(SEED, i), 60);
      const fit = fitMemory(steps, { ...facts, targetBytes: 0, allows: BOTH });
      return fit.steps.map((step) =>
        step.kind === "compute" ? step.kernels.map(({ kernel: { name } }) => name) : step.kind,
      );
    };
    expect(names()).toEqual(names());
  }
});
