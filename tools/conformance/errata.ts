/**
 * Cases whose options contradict their values. Each is proved from the file alone, in plain float64 loops, without any
 * op of ours; such a case is judged by what its values are, and the report says so.
 *
 * `l1Loss` with reduction "sum" may hold a mean: PyTorch's third positional argument of l1_loss is not the reduction but
 * the old `size_average`, and the text "sum" counts as true there.
 */
import type { Fixtures, OpFixture } from "./fixtures.ts";

/** A case with the options that its values follow, and what was wrong with those of the file. */
export interface Erratum {
  readonly options: OpFixture["options"];
  readonly note: string;
}

/** Elementwise losses of two inputs whose sum is the mean times the elements. */
const LOSSES: ReadonlyMap<string, (difference: number) => number> = new Map([
  ["l1Loss", Math.abs],
  ["mseLoss", (difference: number) => difference * difference],
]);

/** Null for a case that says what it holds. */
export function erratumOf(fixture: OpFixture, values: Fixtures<OpFixture>["values"]): Erratum | null {
  const loss = LOSSES.get(fixture.op);
  const [a, b] = fixture.inputs;
  if (loss === undefined || a === undefined || b === undefined || fixture.options["reduction"] !== "sum") return null;
  const [x, y, output] = [values(a.name).data, values(b.name).data, values(fixture.output).data];
  const sum = Array.from(x).reduce((total, value, i) => total + loss(value - (y[i] ?? Number.NaN)), 0);
  const found = output[0] ?? Number.NaN;
  const near = (value: number): boolean => Math.abs(found - value) <= fixture.atol + fixture.rtol * Math.abs(value);
  if (output.length !== 1 || near(sum) || !near(sum / x.length)) return null;
  return {
    options: { ...fixture.options, reduction: "mean" },
    note: `the file says reduction "sum" and holds ${found}, the mean (the sum is ${sum}): judged as the mean`,
  };
}
