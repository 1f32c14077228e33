/** Learning rate schedules against closed forms, step by step. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { OptionError } from "../../../src/base/errors.ts";
import { compile } from "../../../src/compute/tensor/compile.ts";
import { tensor } from "../../../src/compute/tensor/create.ts";
import { setDefaultRuntime } from "../../../src/compute/tensor/runtime-scope.ts";
import { AdamW } from "../../../src/model/optim/adam.ts";
import { ChainedScheduler, SequentialLR } from "../../../src/model/optim/schedulers/combined-schedulers.ts";
import {
  CosineAnnealingLR,
  CosineAnnealingWarmRestarts,
} from "../../../src/model/optim/schedulers/cosine-schedulers.ts";
import {
  ExponentialLR,
  MultiStepLR,
  PolynomialLR,
  StepLR,
} from "../../../src/model/optim/schedulers/decay-schedulers.ts";
import { LambdaLR, MultiplicativeLR } from "../../../src/model/optim/schedulers/lambda-schedulers.ts";
import { OneCycleLR } from "../../../src/model/optim/schedulers/one-cycle-lr.ts";
import { ReduceLROnPlateau } from "../../../src/model/optim/schedulers/reduce-lr-on-plateau.ts";
import type { LRScheduler, Scheduled } from "../../../src/model/optim/schedulers/scheduler.ts";
import { ConstantLR, LinearLR } from "../../../src/model/optim/schedulers/warmup-schedulers.ts";
import { SGD } from "../../../src/model/optim/sgd.ts";
import { deviceRuntime } from "../../compute/tensor/test-runtimes.ts";

setDefaultRuntime(deviceRuntime());

const STEPS = 23;

/** Two groups with rates of their own. */
const optimizer = (lr = 0.8): SGD =>
  new SGD([{ params: tensor([0]), lr }, { params: tensor([0]), lr: lr / 4 }], { momentum: 0.9 }); // prettier-ignore

type Closed = (step: number) => number;

/** Steps `make`'s schedule and compares both groups' rates with lr times `factor`. Float64 rounds 23 factors. */
function expectFactors(make: (on: Scheduled) => { step(): void }, factor: Closed): void {
  const on = optimizer();
  const schedule = make(on);
  for (let step = 0; step < STEPS; step++) {
    for (const [i, base] of [0.8, 0.2].entries()) {
      const expected = base * factor(step);
      expect(Math.abs((on.paramGroups[i]?.lr ?? Number.NaN) - expected)).toBeLessThan(1e-12 + 1e-11 * expected);
    }
    schedule.step();
  }
}

const halfCosine = (share: number): number => (1 + Math.cos(Math.PI * share)) / 2;

/** Each schedule, and its factor at a step. */
const SCHEDULES: Readonly<Record<string, readonly [(on: Scheduled) => LRScheduler, Closed]>> = {
  LambdaLR: [(on) => new LambdaLR(on, (step) => 1 / (1 + step)), (step) => 1 / (1 + step)],
  MultiplicativeLR: [(on) => new MultiplicativeLR(on, (step) => (step % 2 === 0 ? 0.5 : 1)), (step) => 0.5 ** Math.floor(step / 2)], // prettier-ignore
  StepLR: [(on) => new StepLR(on, { stepSize: 4, gamma: 0.5 }), (step) => 0.5 ** Math.floor(step / 4)],
  MultiStepLR: [
    (on) => new MultiStepLR(on, { milestones: [9, 3, 9], gamma: 0.3 }),
    (step) => (step < 3 ? 1 : step < 9 ? 0.3 : 0.3 ** 3),
  ],
  ExponentialLR: [(on) => new ExponentialLR(on, { gamma: 0.9 }), (step) => 0.9 ** step],
  PolynomialLR: [
    (on) => new PolynomialLR(on, { totalIters: 10, power: 2 }),
    (step) => (step < 10 ? ((10 - step) / 10) ** 2 : 0),
  ],
  CosineAnnealingLR: [(on) => new CosineAnnealingLR(on, { tMax: 8 }), (step) => halfCosine(step / 8)],
  CosineAnnealingWarmRestarts: [
    (on) => new CosineAnnealingWarmRestarts(on, { t0: 3, tMult: 2 }),
    (step) => (step < 3 ? halfCosine(step / 3) : step < 9 ? halfCosine((step - 3) / 6) : step < 21 ? halfCosine((step - 9) / 12) : halfCosine((step - 21) / 24)), // prettier-ignore
  ],
  LinearLR: [
    (on) => new LinearLR(on, { startFactor: 0.25, endFactor: 0.5, totalIters: 5 }),
    (step) => (step < 5 ? 0.25 + (0.25 * step) / 5 : 0.5),
  ],
  ConstantLR: [(on) => new ConstantLR(on, { factor: 0.5, totalIters: 4 }), (step) => (step < 4 ? 0.5 : 1)],
};

for (const [name, [make, factor]] of Object.entries(SCHEDULES)) {
  test(`${name} gives its closed form in every step`, () => expectFactors(make, factor));

  test(`${name} goes on from a saved state`, () => {
    fc.assert(
      fc.property(fc.nat(STEPS - 2), (stop) => {
        const [straight, resumed] = [optimizer(), optimizer()];
        const whole = make(straight);
        for (let step = 0; step < STEPS; step++) whole.step();
        const first = make(resumed);
        for (let step = 0; step < stop; step++) first.step();
        const state = JSON.parse(JSON.stringify(first.stateDict())) as Record<string, unknown>;
        const rates = resumed.paramGroups.map(({ lr }) => lr);
        const second = make(resumed);
        resumed.paramGroups.forEach((group, i) => (group.lr = rates[i] ?? 0));
        second.loadStateDict(state);
        expect(second.lastEpoch).toBe(stop);
        for (let step = stop; step < STEPS; step++) second.step();
        expect(second.getLastLr()).toEqual(whole.getLastLr());
        expect(resumed.paramGroups.map(({ lr }) => lr)).toEqual(straight.paramGroups.map(({ lr }) => lr));
      }),
      { numRuns: 5, seed: 1 },
    );
  });
}

test("a cosine ends at etaMin and comes back", () => {
  const on = optimizer(1);
  const schedule = new CosineAnnealingLR(on, { tMax: 5, etaMin: 0.1 });
  const rates = Array.from({ length: 21 }, () => {
    const lr = on.lr;
    schedule.step();
    return lr;
  });
  rates.forEach((lr, step) => expect(lr).toBeCloseTo(0.1 + 0.9 * halfCosine(step / 5), 12));
});

test("a schedule goes on at lastEpoch, for groups that know where they began", () => {
  const on = optimizer();
  expect(() => new StepLR(on, { stepSize: 2, lastEpoch: 5 })).toThrow(/an initialLr to go on from/);
  for (const group of on.paramGroups) group.initialLr = 0.4;
  const schedule = new CosineAnnealingLR(on, { tMax: 8, lastEpoch: 3 });
  expect(schedule.lastEpoch).toBe(4);
  expect(on.lr).toBeCloseTo(0.2, 12);
});

test("OneCycleLR gives its phases, and momentum the other way round", () => {
  fc.assert(
    fc.property(
      fc.constantFrom("cos" as const, "linear" as const),
      fc.boolean(),
      fc.constantFrom([20, 0.3], [40, 0.25], [30, 0.45]),
      (annealStrategy, threePhase, [total = 0, pctStart = 0]) => {
        const on = new SGD([{ params: tensor([0]) }], { lr: 7, momentum: 0.5 });
        const options = { maxLr: 1, divFactor: 10, finalDivFactor: 100, annealStrategy, threePhase, pctStart };
        const schedule = new OneCycleLR(on, { ...options, totalSteps: total });
        const shape = (share: number): number => (annealStrategy === "cos" ? 1 - halfCosine(share) : share);
        const from = (low: number, high: number, share: number): number => low + (high - low) * shape(share);
        const up = pctStart * total - 1;
        const down = threePhase ? 2 * pctStart * total - 2 : total - 1;
        for (let step = 0; step < total; step++) {
          const [group] = on.paramGroups;
          const isUp = step <= up;
          const isEnd = step > down;
          const lr = isUp ? from(0.1, 1, step / up) : isEnd ? from(0.1, 0.001, (step - down) / (total - 1 - down)) : from(1, threePhase ? 0.1 : 0.001, (step - up) / (down - up)); // prettier-ignore
          const momentum = isUp ? from(0.95, 0.85, step / up) : isEnd ? 0.95 : from(0.85, 0.95, (step - up) / (down - up)); // prettier-ignore
          expect(group?.lr).toBeCloseTo(lr, 10);
          expect(group?.momentum).toBeCloseTo(momentum, 10);
          schedule.step();
        }
      },
    ),
    { numRuns: 12, seed: 2 },
  );
  const adam = new AdamW([tensor([0])], { betas: [0.5, 0.99] });
  const schedule = new OneCycleLR(adam, { maxLr: [0.5], epochs: 2, stepsPerEpoch: 5 });
  expect(adam.paramGroups[0]?.betas).toEqual([0.95, 0.99]);
  expect(adam.lr).toBeCloseTo(0.02, 12);
  for (let step = 0; step < 10; step++) schedule.step();
  expect(() => schedule.step()).toThrow(/at most 10 steps/);
});

test("SequentialLR warms up, then decays, each schedule from its own start", () => {
  const make = (on: Scheduled): SequentialLR =>
    new SequentialLR(on, {
      schedulers: [
        new LinearLR(on, { startFactor: 0.5, totalIters: 4 }),
        new ExponentialLR(on, { gamma: 0.5 }),
        new ConstantLR(on, { factor: 0.1, totalIters: 100 }),
      ],
      milestones: [4, 10],
    });
  expectFactors(make, (step) => (step < 4 ? 0.5 + step / 8 : step < 10 ? 0.5 ** (step - 4) : 0.1));
  const [straight, stopped] = [optimizer(), optimizer()];
  const whole = make(straight);
  const first = make(stopped);
  for (let step = 0; step < 12; step++) whole.step();
  for (let step = 0; step < 6; step++) first.step();
  const resumed = optimizer();
  const second = make(resumed);
  second.loadStateDict(JSON.parse(JSON.stringify(first.stateDict())) as Record<string, unknown>);
  resumed.paramGroups.forEach((group, i) => (group.lr = stopped.paramGroups[i]?.lr ?? 0));
  for (let step = 6; step < 12; step++) second.step();
  expect(second.getLastLr()).toEqual(whole.getLastLr());
});

test("ChainedScheduler multiplies what its schedules do", () => {
  const make = (on: Scheduled): ChainedScheduler =>
    new ChainedScheduler([new ConstantLR(on, { factor: 0.1, totalIters: 3 }), new ExponentialLR(on, { gamma: 0.9 })]);
  expectFactors(make, (step) => (step < 3 ? 0.1 : 1) * 0.9 ** step);
});

test("ReduceLROnPlateau waits for its patience, cools down, and keeps to its least rate", () => {
  const on = optimizer(1);
  const options = { factor: 0.5, patience: 1, cooldown: 2, minLr: [0.2, 0] };
  const schedule = new ReduceLROnPlateau(on, options);
  // Better, 2 not better: reduced; 2 of cooldown; 2 not better: reduced; and so on. 0.9 is no 1e-4 better than 0.90001.
  const metrics = [1, 0.90001, 0.9, 0.9, 5, 5, 5, 5, 5, 5, 5, 5];
  const rates = metrics.map((metric) => {
    schedule.step(metric);
    return on.paramGroups.map(({ lr }) => lr);
  });
  const expected = [1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25, 0.2];
  expect(rates.map(([lr]) => lr)).toEqual(expected);
  expect(rates.at(-1)?.[1]).toBe(0.25 / 8);
  const saved = schedule.stateDict();
  const again = new ReduceLROnPlateau(on, options);
  again.loadStateDict(saved);
  expect(again.stateDict()).toEqual(saved);
  const up = new ReduceLROnPlateau(optimizer(1), { mode: "max", thresholdMode: "abs", threshold: 0.5, patience: 0 });
  up.step(1);
  up.step(1.6);
  expect(up.getLastLr()).toEqual([1, 0.25]);
  up.step(2);
  expect(up.getLastLr()).toEqual([0.1, 0.025]);
});

test("a compiled step follows its schedule in one plan", async () => {
  const weight = tensor([0], { requiresGrad: true });
  const sgd = new SGD([weight], { lr: 1 });
  const schedule = new StepLR(sgd, { stepSize: 1, gamma: 0.5 });
  const step = compile(() => {
    weight.mul(1).sum().backward();
    sgd.step();
    return [];
  });
  for (let k = 0; k < 4; k++) {
    await step();
    schedule.step();
  }
  expect(await weight.item()).toBe(-1.875);
  expect(step.explain()).toHaveLength(1);
});

test("schedules that make no sense are refused in words", () => {
  const on = optimizer();
  expect(() => new StepLR(on, { stepSize: 0 })).toThrow(OptionError);
  expect(() => new LambdaLR(on, [() => 1])).toThrow(/functions for 2 groups, found 1/);
  expect(() => new LinearLR(on, { startFactor: 0 })).toThrow(/startFactor above 0/);
  expect(() => new SequentialLR(on, { schedulers: [new StepLR(on, { stepSize: 1 })], milestones: [3] })).toThrow(/expected 0 ascending milestones, found \[3\]/); // prettier-ignore
  expect(() => new ChainedScheduler([new StepLR(on, { stepSize: 1 }), new StepLR(optimizer(), { stepSize: 1 })])).toThrow(/of one optimizer/); // prettier-ignore
  expect(() => new OneCycleLR(on, { maxLr: 1 })).toThrow(/totalSteps, or epochs/);
  expect(() => new ReduceLROnPlateau(on, { factor: 1 })).toThrow(/below 1, found 1/);
  expect(() => new StepLR(on, { stepSize: 1 }).loadStateDict({ lastEpoch: 1 })).toThrow(/of 2 groups/);
});
