/** Trains an edited model, for ten steps unless told otherwise, and gives the course of all that it watches. */
import { present } from "../../src/base/assert.ts";
import { compile, manualSeed, nn, Random, tensor, Tensor, withRuntime } from "../../src/index.ts";
import type { Inputs, Runtime } from "../../src/index.ts";
import type { Mutation, Training, Watched } from "./mutation.ts";

export const STEPS = 10;
const SEED = 20;

/** Values by name: one a step, or one alone for what is measured at the end. */
export type Course = Record<string, number[]>;

/** As a user trains: one compiled step. What comes after the last step is measured only then. */
export async function trainCompiled(mutation: Mutation, runtime: Runtime, steps: number = STEPS): Promise<Course> {
  const training = prepare(mutation, runtime);
  const step = compile((inputs: Inputs<string>) => training.step(inputs), { runtime });
  const course: Course = {};
  for (let i = 0; i < steps; i++) {
    await note(course, await step(training.batch));
    training.between();
  }
  if (steps === STEPS) await measure(course, training, runtime);
  step.destroy();
  return course;
}

/** The same without `compile`: tensors are made, used and left behind. */
export async function trainEager(mutation: Mutation, runtime: Runtime, steps: number = STEPS): Promise<Course> {
  const training = prepare(mutation, runtime);
  const course: Course = {};
  for (let i = 0; i < steps; i++) {
    await note(
      course,
      withRuntime(runtime, () => training.step(inputsOf(training))),
    );
    training.between();
  }
  if (steps === STEPS) await measure(course, training, runtime);
  return course;
}

function prepare({ make }: Mutation, runtime: Runtime): Training {
  return withRuntime(runtime, () => {
    manualSeed(SEED);
    return nn.withRandom(new Random(SEED), make);
  });
}

function inputsOf({ batch }: Training): Inputs<string> {
  return Object.fromEntries(Object.entries(batch).map(([name, values]) => [name, tensor(values)]));
}

async function measure(course: Course, training: Training, runtime: Runtime): Promise<void> {
  await note(
    course,
    withRuntime(runtime, () => training.after(inputsOf(training))),
  );
}

async function note(course: Course, watched: Watched): Promise<void> {
  const names = Object.keys(watched);
  const found = await Tensor.readAll(Object.values(watched));
  names.forEach((name, i) => {
    const series = (course[name] ??= []);
    series.push(present(present(found[i], name)[0], `${name}: a value`));
  });
}
