/** Checking a run's definition where it is written, so that a mistake shows before anybody joins. */
import { OptionError } from "../base/errors.ts";
import type { Module } from "../model/nn/module.ts";
import type { Dataset, RunDefinition } from "./run-definition.ts";

/** The definition itself, checked. @throws OptionError that names the field, what was expected and what was found */
export function defineRun<D extends Dataset, M extends Module>(definition: RunDefinition<D, M>): RunDefinition<D, M> {
  const { name, globalBatch, slots, steps } = definition;
  const check = (isGood: boolean, field: string, expected: string, found: unknown): void => {
    if (!isGood) throw new OptionError(`defineRun: expected ${field} to be ${expected}, found ${String(found)}`);
  };
  check(/^[a-z][a-z0-9-]{0,40}$/.test(name), "name", "lower-case letters, digits and dashes", name);
  check(Number.isInteger(globalBatch) && globalBatch >= 1, "globalBatch", "a positive integer", globalBatch);
  check(
    Number.isInteger(slots) && slots >= 1 && globalBatch % slots === 0,
    "slots",
    `a divisor of ${globalBatch}`,
    slots,
  );
  check(Number.isInteger(steps) && steps >= 1, "steps", "a positive integer", steps);
  return definition;
}
