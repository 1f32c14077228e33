/**
 * A kernel's meaning with error bounds (`bounded.ts`), lane by lane: plain, slow, and shared with no printer.
 *
 * Lanes run until the next barrier or subgroup operation, one after the other. At every barrier it is checked that no
 * element was stored by one lane and used by another one since the last.
 */
import { InvariantError } from "../../../src/base/errors.ts";
import { lanesOf, type Expr, type Kernel, type Statement } from "../../../src/compute/lang/kernel.ts";
import { operandsOf, visitOperandsFirst } from "../../../src/compute/lang/walk.ts";
import { evaluate, reduceBounded, UNDECIDED, type Bounded } from "./bounded.ts";

/** What a lane waits for. */
type Wait =
  | { readonly kind: "barrier" }
  | { readonly kind: "subgroup"; readonly statement: Statement & { kind: "subgroup" }; readonly value: Bounded };
type Lane = Generator<Wait, void, Bounded>;

/** Arrays before the kernel; the result is the arrays after it. @throws InvariantError where lanes race */
export function runBounded(kernel: Kernel, arrays: readonly ArrayLike<number>[], subgroupSize = 32): Bounded[][] {
  const workgroups = Array.from({ length: workgroupsOf(kernel) }, (_, i) => i);
  const stored = runSomeBounded(kernel, arrays, subgroupSize, workgroups);
  return arrays.map((array, i) => Array.from(array, (value, at): Bounded => stored[i]?.get(at) ?? { value, bound: 0 }));
}

/** What some of its workgroups store, by place. @throws InvariantError where lanes race */
export function runSomeBounded(
  kernel: Kernel,
  arrays: readonly ArrayLike<number>[],
  subgroupSize: number,
  workgroups: readonly number[],
): BoundedElements[] {
  const state: BoundedArray[] = [];
  // Two bindings may be one array.
  for (const [i, before] of arrays.entries()) {
    state.push(state[kernel.bindings[i]?.aliasOf ?? -1] ?? arrayOf(before.length, before));
  }
  const lanes = lanesOf(kernel);
  for (const workgroup of workgroups) {
    const count = Math.min(lanes, kernel.invocations - workgroup * lanes);
    new Workgroup(kernel, state, subgroupSize).run(workgroup, count);
  }
  return state.map(({ stored, isOpen }) => ({ get: (at) => (isOpen ? UNDECIDED : stored.get(at)) }));
}

/** What was stored, by place; undefined where nothing was. */
export interface BoundedElements {
  get(at: number): Bounded | undefined;
}

/** How many workgroups a kernel has. */
export function workgroupsOf(kernel: Kernel): number {
  return Math.ceil(kernel.invocations / lanesOf(kernel));
}

/** What was stored, over what there was before, which is exact. */
interface BoundedArray {
  readonly length: number;
  readonly before: ArrayLike<number> | null;
  readonly stored: Map<number, Bounded>;
  /** True after a store at a place that the bounds leave open: nothing is known of any element. */
  isOpen: boolean;
}

/** An array with a memory of its users since the last barrier. */
class WatchedArray {
  readonly #name: string;
  readonly #array: BoundedArray;
  readonly #uses = new Map<number, { loaders: Set<number>; storers: Set<number> }>();

  constructor(name: string, array: BoundedArray) {
    this.#name = name;
    this.#array = array;
  }

  load(index: number, lane: number): Bounded {
    const { length, before, stored } = this.#array;
    const at = Math.max(0, Math.min(length - 1, index));
    this.#usesOf(at).loaders.add(lane);
    if (this.#array.isOpen) return UNDECIDED;
    return stored.get(at) ?? { value: before?.[at] ?? 0, bound: 0 };
  }

  store(index: number, value: Bounded, lane: number): void {
    if (index < 0 || index >= this.#array.length) return;
    this.#usesOf(index).storers.add(lane);
    this.#array.stored.set(index, value);
  }

  storeSomewhere(): void {
    this.#array.isOpen = true;
  }

  barrier(): void {
    for (const [index, { loaders, storers }] of this.#uses) {
      const users = new Set([...loaders, ...storers]);
      if (storers.size === 0 || users.size === 1) continue;
      throw new InvariantError(`bounded: ${this.#name}[${index}] is stored by ${[...storers]}, used by ${[...users]}`);
    }
    this.#uses.clear();
  }

  #usesOf(index: number): { loaders: Set<number>; storers: Set<number> } {
    let uses = this.#uses.get(index);
    if (uses === undefined) this.#uses.set(index, (uses = { loaders: new Set(), storers: new Set() }));
    return uses;
  }
}

class Workgroup {
  readonly #kernel: Kernel;
  readonly #bindings: WatchedArray[];
  readonly #shared: WatchedArray[];
  readonly #subgroupSize: number;

  constructor(kernel: Kernel, state: readonly BoundedArray[], subgroupSize: number) {
    this.#kernel = kernel;
    this.#bindings = state.map((array, i) => new WatchedArray(`binding ${i}`, array));
    const shared = kernel.workgroup?.shared ?? [];
    this.#shared = shared.map(({ length }, i) => new WatchedArray(`shared array ${i}`, arrayOf(length)));
    this.#subgroupSize = subgroupSize;
  }

  run(workgroup: number, count: number): void {
    const lanes = Array.from({ length: count }, (_, lane): Lane => {
      const invocation = workgroup * lanesOf(this.#kernel) + lane;
      const subgroup = { subgroupSize: this.#subgroupSize, subgroupLane: lane % this.#subgroupSize };
      const names = Object.entries({ invocation, workgroup, lane, ...subgroup });
      const builtIns = names.map(([name, value]): [string, Bounded] => [name, { value, bound: 0 }]);
      return new Invocation(this.#bindings, this.#shared, lane, new Map(builtIns)).block(this.#kernel.body);
    });
    let told: Bounded[] = [];
    for (;;) {
      const waits = lanes.map((lane, i): Wait | undefined => {
        const { done, value } = lane.next(told[i] ?? UNDECIDED);
        return done === true ? undefined : value;
      });
      const [wait] = waits;
      if (waits.some((other) => other?.kind !== wait?.kind)) throw new InvariantError("bounded: lanes part");
      if (wait?.kind === "subgroup") {
        told = this.#exchange(waits as (Wait & { kind: "subgroup" })[]);
        continue;
      }
      for (const array of [...this.#bindings, ...this.#shared]) array.barrier();
      if (wait === undefined) return;
    }
  }

  #exchange(waits: readonly (Wait & { kind: "subgroup" })[]): Bounded[] {
    return waits.map(({ statement: { op, value: x, mask = 0, lane: from = 0 } }, lane) => {
      const start = lane - (lane % this.#subgroupSize);
      const values = waits.slice(start, start + this.#subgroupSize).map(({ value }) => value);
      if (op === "broadcastFirst") return values[0] ?? UNDECIDED;
      if (op === "broadcast") return values[from] ?? UNDECIDED;
      if (op === "shuffleXor") return values[(lane - start) ^ mask] ?? UNDECIDED;
      return reduceBounded(op, x.type, values);
    });
  }
}

class Invocation {
  readonly #bindings: readonly WatchedArray[];
  readonly #shared: readonly WatchedArray[];
  readonly #private = new Map<string, WatchedArray>();
  readonly #lane: number;
  readonly #variables: Map<string, Bounded>;
  /** True under a condition that is open: what is written there may or may not be. */
  #isOpen = false;

  constructor(
    bindings: readonly WatchedArray[],
    shared: readonly WatchedArray[],
    lane: number,
    variables: Map<string, Bounded>,
  ) {
    this.#bindings = bindings;
    this.#shared = shared;
    this.#lane = lane;
    this.#variables = variables;
  }

  *block(body: readonly Statement[]): Lane {
    for (const statement of body) yield* this.#run(statement);
  }

  *#run(statement: Statement): Lane {
    switch (statement.kind) {
      case "let":
      case "var":
        this.#variables.set(statement.name, this.#value(statement.value));
        return;
      case "assign":
        this.#variables.set(statement.name, this.#isOpen ? UNDECIDED : this.#value(statement.value));
        return;
      case "for":
        return yield* this.#for(statement);
      case "if": {
        const condition = this.#value(statement.condition);
        const isOpen = condition.bound > 0;
        if (!isOpen && condition.value === 0) return;
        const before = this.#isOpen;
        this.#isOpen ||= isOpen;
        yield* this.block(statement.body);
        this.#isOpen = before;
        return;
      }
      case "array": {
        const elements = arrayOf(statement.length);
        this.#private.set(statement.name, new WatchedArray(statement.name, elements));
        return;
      }
      case "store":
        return this.#store(this.#bindings[statement.binding], statement.index, statement.value);
      case "storeShared":
        return this.#store(this.#shared[statement.array], statement.index, statement.value);
      case "storePrivate":
        return this.#store(this.#private.get(statement.name), statement.index, statement.value);
      case "barrier":
        yield { kind: "barrier" };
        return;
      case "subgroup": {
        const value = this.#value(statement.value);
        this.#variables.set(statement.name, yield { kind: "subgroup", statement, value });
        return;
      }
    }
  }

  *#for(statement: Statement & { kind: "for" }): Lane {
    const [from, to] = [this.#value(statement.from), this.#value(statement.to)];
    if (from.bound > 0 || to.bound > 0) throw new InvariantError("bounded: expected loops with exact ends");
    for (let i = from.value; i < to.value; i++) {
      this.#variables.set(statement.name, { value: i, bound: 0 });
      yield* this.block(statement.body);
    }
  }

  #store(array: WatchedArray | undefined, index: Expr, value: Expr): void {
    const at = this.#value(index);
    if (at.bound > 0) return array?.storeSomewhere();
    const stored = this.#value(value);
    array?.store(at.value, this.#isOpen ? UNDECIDED : stored, this.#lane);
  }

  #value(root: Expr): Bounded {
    const values = new Map<Expr, Bounded>();
    visitOperandsFirst(
      root,
      (x) => values.has(x),
      (x) => {
        const operands = operandsOf(x).map((operand) => values.get(operand) as Bounded);
        values.set(x, this.#evaluate(x, operands));
      },
    );
    return values.get(root) as Bounded;
  }

  #evaluate(x: Expr, operands: readonly Bounded[]): Bounded {
    switch (x.kind) {
      case "variable":
        return this.#variables.get(x.name) ?? UNDECIDED;
      case "load":
        return this.#load(this.#bindings[x.binding], operands[0]);
      case "loadShared":
        return this.#load(this.#shared[x.array], operands[0]);
      case "loadPrivate":
        return this.#load(this.#private.get(x.name), operands[0]);
      default:
        return evaluate(x, operands);
    }
  }

  #load(array: WatchedArray | undefined, index: Bounded = UNDECIDED): Bounded {
    return array === undefined || index.bound > 0 ? UNDECIDED : array.load(index.value, this.#lane);
  }
}

function arrayOf(length: number, before: ArrayLike<number> | null = null): BoundedArray {
  return { length, before, stored: new Map(), isOpen: false };
}
