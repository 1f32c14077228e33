/** Edited models on the reference device: what they have to learn, compiled and eager, and in float64. */
import { afterAll, describe, expect, test } from "vitest";
import type { Runtime } from "../../src/index.ts";
import { InterpreterRuntime } from "../compute/tensor/interpreter-runtime.ts";
import { deviceRuntime } from "../compute/tensor/test-runtimes.ts";
import { differences, failures } from "./judge.ts";
import { MUTATIONS } from "./models.ts";
import { trainCompiled, trainEager } from "./training.ts";
import type { Course } from "./training.ts";

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
    expect(differences(await trainEager(mutation, runtime), course)).toEqual([]);
  });

  test("gives the losses of float64", async () => {
    expect(differences(await trainCompiled(mutation, new InterpreterRuntime()), course)).toEqual([]);
  });
});
