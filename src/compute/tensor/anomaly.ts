/** Where a NaN comes from: every op's result is read, first ones first. For debugging; it fuses nothing and reads all. */
import { NumericError, OptionError } from "../../base/errors.ts";
import { callers } from "./callers.ts";
import { isFloat } from "../layout/dtype.ts";
import { formatShape } from "../layout/shape.ts";
import { withObserver } from "./observe.ts";
import { readAll } from "./realize.ts";
import { currentTrace } from "./trace.ts";
import { tensorOf, type Value } from "./value.ts";

/** Values that are read together. */
const BATCH = 64;

interface Step {
  readonly name: string;
  readonly value: Value;
  readonly inputs: readonly Value[];
  readonly backwardOf: string | null;
  readonly callers: readonly string[];
}

/**
 * Runs `fn` (synchronous; forward and backward passes, not compiled ones) and gives what it returns.
 * @throws NumericError that names the op which first made a NaN: its shape, place and caller, and whether it was part of
 * a backward pass; or the tensor that brought one in
 */
export async function detectAnomaly<T>(fn: () => T): Promise<T> {
  if (currentTrace() !== null) {
    throw new OptionError("detectAnomaly: expected to be outside of compiled functions, found it inside");
  }
  const steps: Step[] = [];
  const result = withObserver((name, value, inputs, backwardOf) => {
    steps.push({ name, value, inputs, backwardOf, callers: callers() });
  }, fn);
  const made = new Set(steps.map(({ value }) => value));
  const checked = new Set<Value>();
  for (let at = 0; at < steps.length; at += BATCH) {
    const batch = steps.slice(at, at + BATCH);
    const brought = batch.flatMap(({ inputs }) => inputs).filter((value) => !made.has(value) && !checked.has(value));
    const values = [...new Set([...brought, ...batch.map(({ value }) => value)])].filter(({ node }) =>
      isFloat(node.dtype),
    );
    const data = await readAll(values.map((value) => tensorOf(value)));
    const firstNaN = new Map(values.map((value, i) => [value, data[i]?.findIndex((x) => Number.isNaN(x)) ?? -1]));
    for (const value of values) checked.add(value);
    for (const step of batch) report(step, firstNaN);
  }
  return result;
}

function report(step: Step, firstNaN: ReadonlyMap<Value, number>): void {
  const { name, value, inputs, backwardOf, callers } = step;
  const what = backwardOf === null ? name : `${name} in the backward pass of ${backwardOf}`;
  for (const [i, input] of inputs.entries()) {
    const at = firstNaN.get(input) ?? -1;
    if (at < 0) continue;
    throw new NumericError(
      `detectAnomaly: expected numbers, found NaN at element ${at} of input ${i} of ${what}, a tensor ${formatShape(input.node.shape)} that was there before; called at ${callers.join(", ")}`,
    );
  }
  const at = firstNaN.get(value) ?? -1;
  if (at < 0) return;
  throw new NumericError(
    `detectAnomaly: expected numbers, found NaN made by ${what}: element ${at} of ${value.node.dtype} ${formatShape(value.node.shape)}, from inputs without NaN; called at ${callers.join(", ")}`,
  );
}
