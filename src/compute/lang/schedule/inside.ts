/** That affine indices stay inside their arrays: then equal indices are equal elements, and nothing is clamped. */
import { OptionError } from "../../../base/errors.ts";
import { describeExpr } from "../describe-expr.ts";
import type { Expr } from "../kernel.ts";
import { affineOf, type Quotient } from "./affine.ts";
import { addLinear, IntegerSystem, linear } from "./integer-system.ts";
import { loadsIn } from "./loads.ts";
import type { Assign, NestArray } from "./loop-nest.ts";

/** @throws OptionError for an affine index that leaves its array at some iteration */
export function checkInside(
  { array, index, value }: Assign,
  arrays: readonly NestArray[],
  extents: ReadonlyMap<string, number>,
): void {
  const check = (number: number, at: Expr): void => {
    const { name = `array ${number}`, length = 0 } = arrays[number] ?? {};
    if (length === 0) throw new OptionError(`${name}: expected an array of the nest, found number ${number}`);
    const affine = affineOf(at, (counter) => extents.has(counter));
    if (affine === undefined) return;
    const below = addLinear(linear(-1), affine.linear, -1);
    const above = addLinear(affine.linear, linear(-length));
    for (const outside of [below, above]) {
      const system = new IntegerSystem();
      for (const [counter, extent] of extents) system.variable(counter, { min: 0, max: extent - 1 });
      addQuotients(system, affine.quotients);
      system.atLeastZero(outside);
      if (system.solve() === "none") continue;
      throw new OptionError(
        `${name}[${describeExpr(at)}]: expected an index from 0 to ${length - 1} at every iteration, found one outside`,
      );
    }
  };
  check(array, index);
  for (const load of [...loadsIn(index), ...loadsIn(value)]) check(load.binding, load.index);
}

/** The variables that quotients are, under other names where `rename` gives them. */
export function addQuotients(system: IntegerSystem, quotients: readonly Quotient[]): void {
  for (const { name, of, by, max } of quotients) {
    system.variable(name, { min: 0, max });
    const rest = addLinear(of, linear(0, [[name, by]]), -1);
    system.atLeastZero(rest);
    system.atLeastZero(addLinear(linear(by - 1), rest, -1));
  }
}
