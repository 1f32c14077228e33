/** A tile of an array in private memory while a loop's body runs: accumulators, above all. */
import { OptionError } from "../../../base/errors.ts";
import { add, i32, load, multiply } from "../build.ts";
import type { Interval } from "../interval.ts";
import { valueTypeOf, type Expr } from "../kernel.ts";
import { rebuild } from "../rebuild.ts";
import { mentions } from "../walk.ts";
import { affineOf, textOf } from "./affine.ts";
import { accessesIn, conflictBetween, type Access } from "./dependences.ts";
import { addQuotients } from "./inside.ts";
import { addLinear, IntegerSystem, linear } from "./integer-system.ts";
import {
  counterOf,
  type Assign,
  type Guard,
  type Loop,
  type LoopNest,
  type NestArray,
  type Step,
} from "./loop-nest.ts";
import { standStill, tileUseOf, type TileTerm, type TileUse } from "./tile.ts";
import { assignsIn, checkHolds, checkUnfilled, freshName, loopsIn, mapExprs, pathTo, replaceLoop } from "./tree.ts";

/** Longer tiles are copied by loops, not written out. */
const WRITTEN_OUT_MAX = 64;

/**
 * Everything that the body of `loop` loads from and stores into `array` goes to a private tile instead: loaded before the
 * body where it is needed, stored after it where it has changed. Tiles that only constants index become variables.
 *
 * Every use must be base + the same sum of stride * counter of loops inside, no two of which meet in one element.
 *
 * @throws OptionError for uses that are not of one such tile
 */
export function cacheInRegisters(nest: LoopNest, array: string, loop: string): LoopNest {
  const operation = `cacheInRegisters(${array}, ${loop})`;
  const path = pathTo(operation, nest, loop);
  const found = path.at(-1) as Loop;
  checkHolds(operation, found);
  checkUnfilled(operation, found.body);
  const number = nest.arrays.findIndex(({ name }) => name === array);
  const running = new Set(loopsIn(found.body).map(({ name }) => name));
  const isRunning = (name: string): boolean => running.has(name);
  // Of what nobody stores, more may be loaded than is used.
  const isStored = assignsIn(nest.body).some((assign) => assign.array === number);
  const uses = accessesIn([found], path.slice(0, -1))
    .filter((access) => access.array === number)
    .map((access): Use => {
      const tile = tileUseOf(operation, nest, access, isRunning);
      return { access, tile, guards: isStored ? tileGuards(operation, access, tile, isRunning) : [] };
    });
  const [first] = uses;
  if (first === undefined) throw new OptionError(`${operation}: expected a use of ${array}, found none`);
  for (const use of uses) checkAlike(operation, first, use);
  if (isStored) checkApart(operation, first);
  const { type } = nest.arrays[number] as NestArray;
  const length = first.tile.terms.reduce((size, { loop: { extent } }) => size * extent, 1);
  const tile: NestArray = { name: freshName(nest, `${array}_tile`), type: valueTypeOf(type), length, space: "private" };
  const withTile: LoopNest = { ...nest, arrays: [...nest.arrays, tile] };
  const target = nest.arrays.length;
  const isWritten = uses.some(({ access }) => access.use !== "loaded");
  const body = [
    ...(isFilledFirst(uses, running) ? [] : copy(withTile, first, "in", number, target)),
    ...redirect(found.body, number, target, uses),
    ...(isWritten ? copy(withTile, first, "out", number, target) : []),
  ];
  return replaceLoop(withTile, loop, () => [{ ...found, body }]);
}

interface Use {
  readonly access: Access;
  readonly tile: TileUse;
  /** Those that the copies need, too. */
  readonly guards: readonly Guard[];
}

/** The guards that say which elements of the tile are used: those of loops that do not index it must hold at their start. */
function tileGuards(
  operation: string,
  { assign, loops }: Access,
  { terms }: TileUse,
  isRunning: (name: string) => boolean,
): Guard[] {
  const isOther = (name: string): boolean => isRunning(name) && !terms.some(({ loop }) => loop.name === name);
  return assign.guards.flatMap(({ at, below }): Guard[] => {
    const started: Guard = { at: standStill(at, isOther), below };
    const isOfOthers = loops.some(({ name, extent }) => extent > 1 && isOther(name) && mentions(at, name));
    if (!isOfOthers) return [started];
    if (alwaysHolds(started, loops)) return [];
    throw new OptionError(
      `${operation}: expected guards that hold where the loops inside begin, found one that may not`,
    );
  });
}

function alwaysHolds({ at, below }: Guard, loops: readonly Loop[]): boolean {
  const affine = affineOf(at, (name) => loops.some((loop) => loop.name === name));
  if (affine === undefined) return false;
  const system = new IntegerSystem();
  for (const { name, extent } of loops) system.variable(name, { min: 0, max: extent - 1 });
  addQuotients(system, affine.quotients);
  system.atLeastZero(addLinear(affine.linear, linear(-below)));
  return system.solve() === "none";
}

function checkAlike(operation: string, first: Use, other: Use): void {
  const key = ({ tile, guards }: Use): string => {
    const names = new Map(tile.terms.map(({ loop }, i) => [loop.name, counterOf(`term_${i}`, loop.extent)]));
    const texts = guards.map(({ at, below }) => {
      const renamed = rebuild(at, (part) => (part.kind === "variable" ? names.get(part.name) : undefined));
      const affine = affineOf(renamed, () => true);
      return `${affine === undefined ? "" : textOf(affine.linear)}<${below}`;
    });
    const shape = tile.terms.map(({ loop: { extent }, stride }) => `${extent}*${stride}`);
    return [tile.baseKey, tile.constant, ...shape, ...texts.sort()].join(";");
  };
  if (key(first) === key(other)) return;
  throw new OptionError(`${operation}: expected all uses to be of one tile, found others`);
}

/** No two elements of the tile are one of the array. */
function checkApart(operation: string, { access, tile: { terms } }: Use): void {
  const isTerm = (name: string): boolean => terms.some(({ loop }) => loop.name === name);
  const distances = new Map<string, Interval>();
  for (const { name } of access.loops) if (!isTerm(name)) distances.set(name, { min: 0, max: 0 });
  for (const { loop } of terms) {
    distances.set(loop.name, { min: 1, max: Infinity });
    const twice = conflictBetween({ ...access, use: "stored" }, access, distances);
    if (twice !== undefined) {
      throw new OptionError(`${operation}: expected elements apart, found some that ${loop.name} meets twice`);
    }
    distances.set(loop.name, { min: 0, max: 0 });
  }
}

/** True where the first use stores the whole tile before anything else uses any of it. */
function isFilledFirst([first, ...others]: readonly Use[], running: ReadonlySet<string>): boolean {
  if (first?.access.use !== "stored") return false;
  const own = first.access.loops.filter(({ name, extent }) => running.has(name) && extent > 1);
  const indexing = new Set(first.tile.terms.map(({ loop }) => loop.name));
  if (own.some(({ name }) => !indexing.has(name))) return false;
  return others.every(({ access, tile }) => {
    const isApart = !access.loops.some(({ name }) => own.some((loop) => loop.name === name));
    return isApart || tile.terms.every(({ loop }, i) => first.tile.terms[i]?.loop.name === loop.name);
  });
}

/** Loops that copy the tile. */
function copy(nest: LoopNest, { tile, guards }: Use, way: "in" | "out", from: number, target: number): Step[] {
  const { type = "f32", name = "" } = nest.arrays[from] ?? {};
  const loops = tile.terms.map(({ loop: { extent } }, axis): Loop => {
    const run =
      extent <= WRITTEN_OUT_MAX && (nest.arrays[target]?.length ?? 0) <= WRITTEN_OUT_MAX ? "unrolled" : "serial";
    return { kind: "loop", name: freshName(nest, `${name}_${way}${axis}`), extent, run, body: [] };
  });
  const counters = loops.map((loop) => counterOf(loop.name, loop.extent));
  const names = new Map(tile.terms.map(({ loop }, axis) => [loop.name, counters[axis] as Expr]));
  const exchange = (x: Expr): Expr =>
    rebuild(x, (part) => (part.kind === "variable" ? names.get(part.name) : undefined));
  const strides = tile.terms.map(({ stride }) => stride);
  const outside = sumOf(tile.base, counters, strides);
  const inside = sumOf(i32(0), counters, pitches(tile.terms));
  const valueType = valueTypeOf(type);
  const assign: Assign = {
    kind: "assign",
    array: way === "in" ? target : from,
    index: way === "in" ? inside : outside,
    value: way === "in" ? load(from, outside, valueType) : load(target, inside, valueType),
    update: undefined,
    guards: guards.map(({ at, below }) => ({ at: exchange(at), below })),
  };
  let steps: Step[] = [assign];
  for (const loop of [...loops].reverse()) steps = [{ ...loop, body: steps }];
  return steps;
}

/** The steps with the tile in place of the array. */
function redirect(steps: readonly Step[], from: number, target: number, uses: readonly Use[]): readonly Step[] {
  // Indices have no loads in them: they stay the expressions that they are.
  const places = new Map(
    uses.map(({ access, tile: { terms } }) => {
      const counters = terms.map(({ loop }) => counterOf(loop.name, loop.extent));
      return [access.index, sumOf(i32(0), counters, pitches(terms))];
    }),
  );
  const placeOf = (index: Expr): Expr => places.get(index) ?? index;
  const redirected = mapExprs(steps, (x) =>
    rebuild(x, (part) =>
      part.kind === "load" && part.binding === from ? load(target, placeOf(part.index), part.type) : undefined,
    ),
  );
  const retarget = (inside: readonly Step[]): readonly Step[] =>
    inside.map((step): Step => {
      if (step.kind === "loop") return { ...step, body: retarget(step.body) };
      return step.kind === "assign" && step.array === from
        ? { ...step, array: target, index: placeOf(step.index) }
        : step;
    });
  return retarget(redirected);
}

/** Of a dense row-major tile. */
function pitches(terms: readonly TileTerm[]): number[] {
  return terms.map((_, axis) => terms.slice(axis + 1).reduce((size, { loop: { extent } }) => size * extent, 1));
}

function sumOf(base: Expr, counters: readonly Expr[], factors: readonly number[]): Expr {
  return counters.reduce((sum, counter, axis) => add(sum, multiply(counter, i32(factors[axis] ?? 0))), base);
}
