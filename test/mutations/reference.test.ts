/** Edited models on the reference device: what they have to learn, compiled and eager, and in float64. */
import { afterAll, describe, expect, test } from "vitest";
import type { Runtime } from "../../src/index.ts";
import { InterpreterRuntime } from "../compute/tensor/interpreter-runtime.ts";
import { deviceRuntime } from "../compute/tensor/test-runtimes.ts";
import { differences, failures } from "./judge.ts";
import { MUTATIONS } from "./models.ts";
import { trainCompiled, trainEager } from "./training.ts";
import type { Course } from "./training.ts";

/** Eager steps compile again and float64 is interpreted: a few steps show all that can be wrong there. */
const STEPS_FEW = 3;

const runtime: Runtime = deviceRuntime();
afterAll(() => runtime.destroy());

test("there are more than twenty edited models", () => {
  expect(MUTATIONS.length).toBeGreaterThan(20);
  expect(new Set(MUTATIONS.map(({ name }) => name)).size).toBe(MUTATIONS.length);
});

describe.each(MUTATIONS)("$name", (mutation) => {
  let course: Course = {};

  test("learns", async () => {
    course = await trainCompiled(mutation, runtime);
    expect(failures(mutation, course)).toEqual([]);
  });

  test("gives the same losses eagerly", async () => {
    const eager = await trainEager(mutation, runtime, STEPS_FEW);
    expect(differences(eager, course, STEPS_FEW)).toEqual([]);
  });

  // Rounding to float16 in other places is another computation.
  test.skipIf(mutation.isHalf)("gives the losses of float64", async () => {
    const exact = await trainCompiled(mutation, new InterpreterRuntime(), STEPS_FEW);
    expect(differences(exact, course, STEPS_FEW)).toEqual([]);
  });
});
