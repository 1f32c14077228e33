/** Every optimizer against float64 loops, on random options, shapes, gradients and schedules. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { present } from "../../../src/base/assert.ts";
import { compile } from "../../../src/compute/tensor/compile.ts";
import type { Inputs } from "../../../src/compute/tensor/compile.ts";
import { tensor } from "../../../src/compute/tensor/create.ts";
import { setDefaultRuntime } from "../../../src/compute/tensor/runtime-scope.ts";
import { Tensor } from "../../../src/compute/tensor/tensor.ts";
import { createOptimizer } from "../../../tools/conformance/optimizers.ts";
import { deviceRuntime } from "../../compute/tensor/test-runtimes.ts";
import { HOST_OPTIMIZERS, hostCourse } from "./host-optimizers.ts";
import type { HostOptions } from "./host-optimizers.ts";

setDefaultRuntime(deviceRuntime());

const SHAPES = [[], [3], [2, 2], [0]] as const;
const STEPS = 7;

/** Which options an optimizer has beside lr, weightDecay and maximize. */
const OPTIONS: Readonly<Record<string, readonly (keyof HostOptions)[]>> = {
  SGD: ["momentum", "dampening", "nesterov"],
  Adam: ["betas", "eps", "amsgrad"],
  AdamW: ["betas", "eps", "amsgrad"],
  RMSprop: ["alpha", "eps", "momentum", "centered"],
  Adagrad: ["lrDecay", "initialAccumulatorValue", "eps"],
  Adadelta: ["rho", "eps"],
  Adamax: ["betas", "eps"],
  NAdam: ["betas", "eps", "momentumDecay"],
  RAdam: ["betas", "eps"],
  Lion: ["betas"],
};

const number = (min: number, max: number): fc.Arbitrary<number> => fc.double({ min, max, noNaN: true });

const hostOptions: fc.Arbitrary<HostOptions> = fc.record({
  lr: number(1e-3, 0.1),
  weightDecay: fc.oneof(fc.constant(0), number(0.01, 0.3)),
  maximize: fc.boolean(),
  eps: fc.constantFrom(1e-8, 1e-6, 1e-3),
  betas: fc.tuple(fc.constantFrom(0, 0.5, 0.9, 0.95), fc.constantFrom(0.9, 0.99, 0.999)),
  momentum: fc.constantFrom(0, 0.5, 0.9),
  dampening: fc.constantFrom(0, 0.3),
  nesterov: fc.boolean(),
  amsgrad: fc.boolean(),
  alpha: fc.constantFrom(0.9, 0.99),
  centered: fc.boolean(),
  lrDecay: fc.constantFrom(0, 0.1),
  initialAccumulatorValue: fc.constantFrom(0, 0.4),
  rho: fc.constantFrom(0.5, 0.9),
  momentumDecay: fc.constantFrom(4e-3, 0.1),
});

/** Away from 0, where signs and ratios jump, and unlike one another, so that no variance is 0. */
const gradient = fc.tuple(fc.boolean(), number(0.2, 2)).map(([isNegative, size]) => Math.fround(isNegative ? -size : size)); // prettier-ignore

interface Course {
  readonly name: string;
  readonly options: HostOptions;
  /** By step, a factor on lr. */
  readonly schedule: readonly number[];
  /** By parameter and step, all elements; null for no gradient. */
  readonly gradients: readonly (readonly (readonly number[] | null)[])[];
  readonly starts: readonly (readonly number[])[];
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

function courses(name: string): fc.Arbitrary<Course> {
  const elements = SHAPES.map((shape) => fc.array(gradient, { minLength: sizeOf(shape), maxLength: sizeOf(shape) }));
  return fc.record({
    name: fc.constant(name),
    options: hostOptions.map((options) =>
      options.momentum === 0 || options.dampening !== 0 ? { ...options, nesterov: false } : options,
    ),
    schedule: fc.array(number(0.1, 1), { minLength: STEPS, maxLength: STEPS }),
    gradients: fc.tuple(
      ...elements.map((one) =>
        fc.array(fc.option(one, { freq: 4, nil: null }), { minLength: STEPS, maxLength: STEPS }),
      ),
    ),
    starts: fc.tuple(...elements),
  });
}

function ownOptions(name: string, options: HostOptions): Record<string, unknown> {
  const keys = ["lr", "weightDecay", "maximize", ...present(OPTIONS[name], name)] as (keyof HostOptions)[];
  return Object.fromEntries(keys.map((key) => [key, options[key]]));
}

/** What float32 may differ by: a few roundings a step, of updates that may be as large as lr / (1 - b). */
function tolerance({ options }: Course, expected: number): number {
  return 3e-5 * (1 + Math.abs(expected)) + (options.centered ? 1e-4 : 0);
}

for (const name of HOST_OPTIMIZERS) {
  test(`${name} follows its formula for all options, schedules and gaps in the gradients`, async () => {
    await fc.assert(
      fc.asyncProperty(courses(name), async (course) => {
        const { options, schedule, gradients, starts } = course;
        const parameters = SHAPES.map((shape, i) =>
          tensor({ shape, data: Float32Array.from(starts[i] ?? []) }, { requiresGrad: true }),
        );
        const optimizer = createOptimizer(name, parameters, ownOptions(name, options));
        for (let step = 0; step < STEPS; step++) {
          optimizer.lr = options.lr * (schedule[step] ?? 1);
          parameters.forEach((parameter, i) => {
            const values = gradients[i]?.[step] ?? null;
            parameter.grad = values && tensor({ shape: parameter.shape, data: Float32Array.from(values) });
          });
          optimizer.step();
        }
        const found = await Tensor.readAll(parameters);
        const optionsAt = (step: number): HostOptions => ({ ...options, lr: options.lr * (schedule[step] ?? 1) });
        found.forEach((values, i) => {
          values.forEach((value, j) => {
            const own = (gradients[i] ?? []).map((all) => (all === null ? null : (all[j] ?? Number.NaN)));
            const expected = hostCourse(name, Math.fround(starts[i]?.[j] ?? Number.NaN), own, optionsAt);
            expect(Math.abs(value - expected)).toBeLessThan(tolerance(course, expected));
          });
        });
      }),
      { numRuns: 12, seed: 20 },
    );
  });
}

test("RAdam's rectifier is right for long runs, where its textbook form has no digits left", async () => {
  const weight = tensor([0], { requiresGrad: true });
  const options = { lr: 0.01, betas: [0, 0.999] as const, eps: 1e-3, weightDecay: 0, maximize: false };
  const optimizer = createOptimizer("RAdam", [weight], options);
  const steps = 400;
  const update = compile(({ g }: Inputs<"g">) => {
    weight.grad = g;
    optimizer.step();
    return [];
  });
  const gradients = Array.from({ length: steps }, (_, k) => Math.fround(Math.sin(3 * k) + 0.2));
  for (const value of gradients) await update({ g: { shape: [1], data: Float32Array.of(value) } });
  const expected = hostCourse("RAdam", 0, gradients, () => options as unknown as HostOptions);
  expect(update.explain()).toHaveLength(1);
  expect(Math.abs((await weight.item()) - expected)).toBeLessThan(2e-5 * Math.abs(expected) + 1e-6 * steps * 0.01);
});
