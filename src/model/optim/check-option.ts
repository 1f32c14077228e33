/** What the options of optimizers may be. */
import { OptionError } from "../../base/errors.ts";

type Rule = readonly [expected: string, holds: (value: number) => boolean];

const AT_LEAST_0: Rule = ["at least 0", (value) => value >= 0 && value < Number.POSITIVE_INFINITY];
const BELOW_1: Rule = ["from 0 to below 1", (value) => value >= 0 && value < 1];
const WHOLE: Rule = ["a whole number from 0", (value) => Number.isSafeInteger(value) && value >= 0];

const RULES: Readonly<Record<string, Rule>> = {
  lr: AT_LEAST_0,
  weightDecay: AT_LEAST_0,
  momentum: AT_LEAST_0,
  eps: AT_LEAST_0,
  alpha: AT_LEAST_0,
  lrDecay: AT_LEAST_0,
  initialAccumulatorValue: AT_LEAST_0,
  momentumDecay: AT_LEAST_0,
  rho: ["from 0 to 1", (value) => value >= 0 && value <= 1],
  nsSteps: WHOLE,
};

/** @throws OptionError that names the option, what it may be and what it is */
export function checkOption(operation: string, name: string, value: unknown): void {
  if (name === "betas") return checkBetas(operation, value);
  const rule = RULES[name];
  if (rule === undefined) return;
  const [expected, holds] = rule;
  if (typeof value === "number" && holds(value)) return;
  throw new OptionError(`${operation}: expected ${name} to be ${expected}, found ${String(value)}`);
}

function checkBetas(operation: string, value: unknown): void {
  const [expected, holds] = BELOW_1;
  const isPair = Array.isArray(value) && value.length === 2;
  if (isPair && value.every((beta) => typeof beta === "number" && holds(beta))) return;
  throw new OptionError(`${operation}: expected two betas ${expected}, found ${String(value)}`);
}
