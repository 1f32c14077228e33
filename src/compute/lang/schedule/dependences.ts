/**
 * Which uses of an array depend on each other: the same element, at least one of them stored.
 *
 * A question is put as two accesses and, for the loops around both, how far the later iteration may be from the earlier
 * one. Answers are exact for affine indices (`integer-system.ts`); of others it is assumed that they meet.
 */
import { ScheduleError } from "../../../base/errors.ts";
import { describeExpr } from "../describe-expr.ts";
import type { Interval } from "../interval.ts";
import type { Expr } from "../kernel.ts";
import { affineOf, type Affine, type Quotient } from "./affine.ts";
import { addQuotients } from "./inside.ts";
import { addLinear, IntegerSystem, linear, type Linear } from "./integer-system.ts";
import { loadsIn } from "./loads.ts";
import type { Assign, Loop, LoopNest, Step } from "./loop-nest.ts";

/** One use of an array by a statement. An update loads its element and stores it. */
export interface Access {
  readonly use: "loaded" | "stored" | "updated";
  readonly array: number;
  readonly index: Expr;
  readonly affine: Affine | undefined;
  readonly guards: readonly { readonly affine: Affine; readonly below: number }[];
  readonly assign: Assign;
  /** The statement's place among all of the part looked at. */
  readonly order: number;
  /** Around the statement, outermost first. */
  readonly loops: readonly Loop[];
}

/** All uses in `steps`, which are inside of `outer`, in the order written: what a statement loads before what it stores. */
export function accessesIn(steps: readonly Step[], outer: readonly Loop[] = []): Access[] {
  const out: Access[] = [];
  let order = 0;
  const visit = (inside: readonly Step[], loops: readonly Loop[]): void => {
    for (const step of inside) {
      if (step.kind === "loop") visit(step.body, [...loops, step]);
      if (step.kind === "assign") out.push(...accessesOf(step, order++, loops));
    }
  };
  visit(steps, outer);
  return out;
}

function accessesOf(assign: Assign, order: number, loops: readonly Loop[]): Access[] {
  const isCounter = (name: string): boolean => loops.some((loop) => loop.name === name);
  const guards = assign.guards.flatMap(({ at, below }) => {
    const affine = affineOf(at, isCounter);
    // What is not known of a guard, it may let through.
    return affine === undefined ? [] : [{ affine, below }];
  });
  const access = (use: Access["use"], array: number, index: Expr): Access => {
    return { use, array, index, affine: affineOf(index, isCounter), guards, assign, order, loops };
  };
  const loads = [...loadsIn(assign.index), ...loadsIn(assign.value)].map((x) => access("loaded", x.binding, x.index));
  return [...loads, access(assign.update === undefined ? "stored" : "updated", assign.array, assign.index)];
}

/** Two uses of one element, the earlier one first. */
export interface Conflict {
  readonly first: Access;
  readonly second: Access;
  /** Of an example, by loop; undefined where the conflict is only assumed. */
  readonly distances: ReadonlyMap<string, number> | undefined;
}

/**
 * Whether `first` and `second` may use one element, at least one storing it, at iterations whose distance is as given:
 * the counter of the second less that of the first, for loops around both.
 */
export function conflictBetween(
  first: Access,
  second: Access,
  distances: ReadonlyMap<string, Interval>,
): Conflict | undefined {
  if (first.array !== second.array || (first.use === "loaded" && second.use === "loaded")) return undefined;
  const common = first.loops.filter(({ name }) => second.loops.some((loop) => loop.name === name));
  const system = new IntegerSystem();
  for (const { name, extent } of first.loops) system.variable(name, { min: 0, max: extent - 1 });
  // The second's counters are the first's and a distance, so that what both have in common cancels.
  const counters = new Map<string, Linear>();
  for (const { name, extent } of second.loops) {
    const isCommon = common.some((loop) => loop.name === name);
    const other = isCommon ? distanceOf(name) : `second ${name}`;
    system.variable(other, isCommon ? { min: 1 - extent, max: extent - 1 } : { min: 0, max: extent - 1 });
    const range = isCommon ? distances.get(name) : undefined;
    if (range !== undefined) system.variable(other, range);
    const counter = isCommon ? linear(0, [[name, 1], [other, 1]]) : linear(0, [[other, 1]]); // prettier-ignore
    counters.set(name, counter);
    if (!isCommon) continue;
    system.atLeastZero(counter);
    system.atLeastZero(addLinear(linear(extent - 1), counter, -1));
  }
  const rename = (x: Linear): Linear => renamed(x, counters);
  addAccess(system, first, (x) => x);
  addAccess(system, second, rename);
  const isAffine = first.affine !== undefined && second.affine !== undefined;
  if (isAffine) system.equal(addLinear(first.affine.linear, rename(second.affine.linear), -1));
  const found = system.solve();
  if (found === "none") return undefined;
  if (found === "open" || !isAffine) return { first, second, distances: undefined };
  return { first, second, distances: new Map(common.map(({ name }) => [name, found.get(distanceOf(name)) ?? 0])) };
}

function distanceOf(name: string): string {
  return `distance ${name}`;
}

function addAccess(system: IntegerSystem, access: Access, rename: (x: Linear) => Linear): void {
  const add = (quotients: readonly Quotient[]): void =>
    addQuotients(
      system,
      quotients.map((q) => ({
        ...q,
        of: rename(q.of),
        name: [...rename(linear(0, [[q.name, 1]])).terms.keys()].join(),
      })),
    );
  if (access.affine !== undefined) add(access.affine.quotients);
  for (const { affine, below } of access.guards) {
    add(affine.quotients);
    system.atLeastZero(addLinear(linear(below - 1), rename(affine.linear), -1));
  }
}

/** In the second's counters; its quotients are others than the first's. */
function renamed(x: Linear, counters: ReadonlyMap<string, Linear>): Linear {
  let out = linear(x.constant);
  for (const [name, factor] of x.terms)
    out = addLinear(out, counters.get(name) ?? linear(0, [[`second ${name}`, 1]]), factor);
  return out;
}

/** True for two updates whose order the result does not show. */
export function mayChangePlaces(nest: LoopNest, a: Access, b: Access): boolean {
  const [first, second] = [a.assign.update, b.assign.update];
  if (a.use !== "updated" || b.use !== "updated" || first?.op !== second?.op) return false;
  const isExact = nest.arrays[a.array]?.type !== "f32" || first?.op === "minimum" || first?.op === "maximum";
  return isExact || (first?.order === "any" && second?.order === "any");
}

/** The error of a transformation that the conflict forbids. */
export function breaks(
  operation: string,
  nest: LoopNest,
  { first, second, distances }: Conflict,
  fate: string,
): ScheduleError {
  const { name: array = "" } = nest.arrays[first.array] ?? {};
  const words = ({ use, index }: Access): string => `${array}[${describeExpr(index)}] ${use}`;
  const uses = [words(first), words(second)] as const;
  const common = first.loops.filter((loop) => second.loops.some(({ name }) => name === loop.name));
  const direction = common.map(({ name }) => `${name} ${signOf(distances?.get(name))}`).join(", ");
  const sure = distances === undefined ? "which may be" : "which is";
  const both = first.use === "updated" && second.use === "updated" ? ", in an order that counts" : "";
  return new ScheduleError(
    `${operation}: expected every dependence to hold, found ${uses[0]} and then ${uses[1]}, ${sure} the same element` +
      `${both} (direction ${direction || "none"}), ${fate}`,
    { array, uses, direction },
  );
}

function signOf(distance: number | undefined): string {
  if (distance === undefined) return "any";
  return distance === 0 ? "=" : distance > 0 ? `< by ${distance}` : `> by ${-distance}`;
}
