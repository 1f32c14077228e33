/**
 * From a nest to a kernel: counters become loops, constants or places in the grid; guards become conditions, as far out as
 * they go.
 */
import { OptionError } from "../../../base/errors.ts";
import { add, and, binary, divide, i32, less, load, loadPrivate, loadShared, multiply, remainder } from "../build.ts";
import { invocationOf, isConstant, laneOf, workgroupOf } from "../expr.ts";
import { valueTypeOf, type Binding, type Expr, type Kernel, type PlainType, type Statement } from "../kernel.ts";
import { rebuild } from "../rebuild.ts";
import { scalarizeArrays } from "../scalarize-arrays.ts";
import { BARRIER, store, storeShared, when } from "../statements.ts";
import { accessesIn } from "./dependences.ts";
import { groupGuarded, hasGuard, hoistGuards, type Guarded } from "./guards.ts";
import { loadTogether, type AnyLoad } from "./load-together.ts";
import { counterOf, type Assign, type Fill, type Loop, type LoopNest, type Step } from "./loop-nest.ts";
import { assignsIn, loopsIn } from "./tree.ts";

/** Rounds of copying a tile that are written out. */
const FILL_WRITTEN_OUT_MAX = 16;

/** What unrolling may multiply to. */
const STATEMENTS_MAX = 20_000;

/** Values of counters. */
type Counters = ReadonlyMap<string, Expr>;

/**
 * The kernel of a nest. Its bindings are the nest's arrays, in their order; each is read, written or both as the
 * statements say.
 *
 * @throws OptionError for a nest that is written out too long
 */
export function lowerNest(nest: LoopNest): Kernel {
  const parallel = loopsIn(nest.body).filter(({ run }) => run === "workgroups" || run === "lanes");
  const countOf = (run: Loop["run"]): number =>
    parallel.reduce((product, loop) => (loop.run === run ? product * loop.extent : product), 1);
  const [workgroups, lanes] = [countOf("workgroups"), countOf("lanes")];
  const hasLanes = parallel.some(({ run }) => run === "lanes");
  const counters = new Map<string, Expr>([
    ...placesIn(hasLanes ? workgroupOf(workgroups) : invocationOf(workgroups), parallel, "workgroups"),
    ...placesIn(laneOf(lanes), parallel, "lanes"),
  ]);
  const body = scalarizeArrays(new Lowering(nest, lanes).kernelBody(counters));
  const shared = nest.arrays.flatMap(({ space, type, length }) =>
    space === "shared" ? [{ type: valueTypeOf(type), length }] : [],
  );
  return {
    name: nest.name,
    bindings: bindingsOf(nest),
    invocations: workgroups * lanes,
    ...(hasLanes ? { workgroup: { lanes, shared } } : {}),
    body,
  };
}

/** The counters of parallel loops, the innermost changing fastest. */
function placesIn(number: Expr, parallel: readonly Loop[], run: Loop["run"]): [string, Expr][] {
  let above = number;
  const out: [string, Expr][] = [];
  const own = parallel.filter((loop) => loop.run === run);
  for (const [i, { name, extent }] of [...own].reverse().entries()) {
    // Nothing is above the outermost.
    out.push([name, i === own.length - 1 ? above : remainder(above, i32(extent))]);
    above = divide(above, i32(extent));
  }
  return out;
}

function bindingsOf(nest: LoopNest): Binding[] {
  const read = new Set<number>();
  const written = new Set<number>();
  for (const { use, array } of accessesIn(nest.body)) {
    if (use !== "stored") read.add(array);
    if (use !== "loaded") written.add(array);
  }
  return nest.arrays.flatMap(({ space, type, length }, i): Binding[] => {
    if (space !== "binding") return [];
    const access = !written.has(i) ? "read" : read.has(i) ? "readWrite" : "write";
    return [{ type, access, length }];
  });
}

class Lowering {
  readonly #nest: LoopNest;
  readonly #lanes: number;
  readonly #names = new Set<string>();
  #statements = 0;
  /** True inside of a loop that comes back to a tile while others may still read it. */
  #isRepeated = false;

  constructor(nest: LoopNest, lanes: number) {
    this.#nest = nest;
    this.#lanes = lanes;
    for (const { name } of nest.arrays) this.#names.add(name);
  }

  kernelBody(counters: Counters): Statement[] {
    const tiles = this.#nest.arrays.flatMap(({ name, type, length, space }): Statement[] =>
      space === "private" ? [{ kind: "array", name, type: valueTypeOf(type), length }] : [],
    );
    return [...tiles, ...this.#statementsOf(this.#steps(this.#nest.body, counters))];
  }

  #statementsOf(groups: readonly Guarded[]): Statement[] {
    return groups.flatMap(({ guards, body }) => {
      const [first, ...rest] = guards;
      return first === undefined ? body : [when(rest.reduce(and, first), body)];
    });
  }

  #steps(steps: readonly Step[], counters: Counters): Guarded[] {
    const out: Guarded[] = [];
    for (const [i, step] of steps.entries()) {
      switch (step.kind) {
        case "assign":
          out.push(this.#assign(step, counters));
          break;
        case "loop":
          out.push(...this.#loop(step, counters));
          break;
        case "fill":
          // Neighbours wait together.
          if (steps[i - 1]?.kind !== "fill" && this.#isRepeated) out.push({ guards: [], body: [BARRIER] });
          out.push({ guards: [], body: this.#fill(step, counters) });
          if (steps[i + 1]?.kind !== "fill") out.push({ guards: [], body: [BARRIER] });
      }
    }
    return groupGuarded(out);
  }

  #loop(loop: Loop, counters: Counters): Guarded[] {
    const at = (value: Expr): Counters => new Map([...counters, [loop.name, value]]);
    const places = Array.from({ length: loop.extent }, (_, i) => i32(i));
    switch (loop.run) {
      case "workgroups":
      case "lanes":
        return this.#steps(loop.body, counters);
      case "unrolled": {
        const wasRepeated = this.#isRepeated;
        const out = places.flatMap((place) => {
          const groups = this.#steps(loop.body, at(place));
          this.#isRepeated = true;
          return groups;
        });
        this.#isRepeated = wasRepeated;
        return groupGuarded(out);
      }
      case "vector":
        return this.#vector(loop.body, places.map(at));
      case "serial": {
        const wasRepeated = this.#isRepeated;
        this.#isRepeated = true;
        const name = this.#fresh(loop.name);
        const groups = this.#steps(loop.body, at(counterOf(name, loop.extent)));
        this.#isRepeated = wasRepeated;
        const { outside, inside } = hoistGuards(groups, name);
        const body = this.#statementsOf(inside);
        const statement: Statement = { kind: "for", name, from: i32(0), to: i32(loop.extent), body };
        return [{ guards: outside, body: [statement] }];
      }
    }
  }

  #assign(assign: Assign, counters: Counters): Guarded {
    const guards = this.#guards(assign, counters);
    if (guards === undefined) return { guards: [], body: [] };
    const lower = this.#lowering(counters);
    return { guards, body: [this.#put(assign, lower(assign.index), lower(assign.value))] };
  }

  /** Each statement for all iterations before the next one, its loads before its stores. */
  #vector(steps: readonly Step[], places: readonly Counters[]): Guarded[] {
    const out: Guarded[] = [];
    for (const step of steps) {
      if (step.kind !== "assign") continue;
      const lanes = places.flatMap((counters) => {
        const guards = this.#guards(step, counters);
        const lower = this.#lowering(counters);
        return guards === undefined ? [] : [{ guards, index: lower(step.index), value: lower(step.value) }];
      });
      const common = (lanes[0]?.guards ?? []).filter((guard) => lanes.every(({ guards }) => hasGuard(guards, guard)));
      // What others may store must not be loaded where a guard says no.
      const isGuarded = lanes.some(({ guards }) => guards.length > common.length);
      const isFree = (x: AnyLoad): boolean => !isGuarded || x.kind !== "load" || !this.#isStored(x.binding);
      const { lets, values } = loadTogether(
        lanes.map(({ value }) => value),
        isFree,
        (stem) => this.#fresh(stem),
      );
      const puts = lanes.map(({ guards, index, value }, i): Guarded => {
        const own = guards.filter((guard) => !hasGuard(common, guard));
        return { guards: own, body: [this.#put(step, index, values[i] ?? value)] };
      });
      out.push({ guards: common, body: [...lets, ...this.#statementsOf(groupGuarded(puts))] });
    }
    return groupGuarded(out);
  }

  #fill({ array, from, base, axes }: Fill, counters: Counters): Statement[] {
    const total = axes.reduce((product, { extent }) => product * extent, 1);
    const rounds = Math.ceil(total / this.#lanes);
    const one = (round: Expr): Statement => {
      let rest = add(multiply(round, i32(this.#lanes)), laneOf(this.#lanes));
      const place = rest;
      let index = this.#lowering(counters)(base);
      for (const [axis, { extent, stride }] of [...axes].reverse().entries()) {
        const coordinate = axis === axes.length - 1 ? rest : remainder(rest, i32(extent));
        index = add(index, multiply(coordinate, i32(stride)));
        rest = divide(rest, i32(extent));
      }
      const { type } = this.#nest.arrays[array] ?? { type: "f32" };
      return storeShared(this.#shared(array), place, load(from, index, valueTypeOf(type)));
    };
    if (rounds <= FILL_WRITTEN_OUT_MAX) return Array.from({ length: rounds }, (_, round) => one(i32(round)));
    const name = this.#fresh("round");
    return [{ kind: "for", name, from: i32(0), to: i32(rounds), body: [one(counterOf(name, rounds))] }];
  }

  /** Those that are not always true; undefined where one never is. */
  #guards({ guards }: Assign, counters: Counters): Expr[] | undefined {
    const lower = this.#lowering(counters);
    const conditions = guards.map(({ at, below }) => less(lower(at), i32(below)));
    if (conditions.some((condition) => isConstant(condition, false))) return undefined;
    return conditions.filter((condition) => !isConstant(condition, true));
  }

  #put({ array, update }: Assign, index: Expr, value: Expr): Statement {
    this.#statements += 1;
    if (this.#statements > STATEMENTS_MAX) {
      throw new OptionError(`lowerNest ${this.#nest.name}: expected at most ${STATEMENTS_MAX} statements: unroll less`);
    }
    const { space = "binding", name = "" } = this.#nest.arrays[array] ?? {};
    const type = value.type as PlainType;
    const whole = update === undefined ? value : binary(update.op, this.#load(array, index, type), value);
    switch (space) {
      case "binding":
        return store(array, index, whole);
      case "shared":
        return storeShared(this.#shared(array), index, whole);
      case "private":
        return { kind: "storePrivate", name, index, value: whole };
    }
  }

  #load(array: number, index: Expr, type: PlainType): Expr {
    const { space = "binding", name = "" } = this.#nest.arrays[array] ?? {};
    switch (space) {
      case "binding":
        return load(array, index, type);
      case "shared":
        return loadShared(this.#shared(array), index, type);
      case "private":
        return loadPrivate(name, index, type);
    }
  }

  #isStored(array: number): boolean {
    return assignsIn(this.#nest.body).some((assign) => assign.array === array);
  }

  /** The number among the shared arrays. */
  #shared(array: number): number {
    return this.#nest.arrays.slice(0, array).filter(({ space }) => space === "shared").length;
  }

  /** Expressions of the nest as the kernel's. */
  #lowering(counters: Counters): (x: Expr) => Expr {
    const memo = new Map<Expr, Expr>();
    const replace = (part: Expr): Expr | undefined => {
      if (part.kind === "variable") return counters.get(part.name);
      return part.kind === "load" ? this.#load(part.binding, part.index, part.type as PlainType) : undefined;
    };
    return (x) => rebuild(x, replace, memo);
  }

  #fresh(wanted: string): string {
    let name = wanted;
    for (let i = 2; this.#names.has(name); i++) name = `${wanted}_${i}`;
    this.#names.add(name);
    return name;
  }
}
