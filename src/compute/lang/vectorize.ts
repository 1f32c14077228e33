/**
 * Vector accesses: which loads and stores of a kernel touch four neighbours, 4q to 4q + 3, so that a target may move
 * them as one vector. The language stays scalar; a target that has no vectors ignores this.
 *
 * Fewer, wider accesses are fewer clamped indices, and on software adapters fewer branches a lane. Elements that are
 * never stored are grouped wherever they are loaded; stores are grouped where they follow one another, and only in
 * arrays that have no other stores: WGSL may write a whole vector for one of its components, which would race.
 */
import type { Expr, Kernel, Statement } from "./kernel.ts";
import { boundsOf, sumExpr, termsOf } from "./sum.ts";
import { keyOf } from "./value-rules.ts";
import { expressionsOf, operandsOf, visitOperandsFirst } from "./walk.ts";

/** Elements of a vector. */
export const VECTOR = 4;

/** An element of a vector: number `component` of vector `index`. */
export interface VectorElement {
  readonly index: Expr;
  readonly component: number;
}

export interface VectorAccess {
  /** Those to be seen as arrays of vectors; their lengths are multiples of `VECTOR`. */
  readonly bindings: ReadonlySet<number>;
  /** The loads that are elements of a vector of which all are loaded. */
  readonly loads: ReadonlyMap<Expr, VectorElement>;
  /** By the first store of each four: the vector's index, and the stores of its components, in order. */
  readonly stores: ReadonlyMap<Statement, { readonly index: Expr; readonly parts: readonly Store[] }>;
  /** Stores that are done with the first of their four. */
  readonly merged: ReadonlySet<Statement>;
}

/** Every access for itself. */
export const NO_VECTORS: VectorAccess = {
  bindings: new Set(),
  loads: new Map(),
  stores: new Map(),
  merged: new Set(),
};

type Store = Statement & { readonly kind: "store" };

/** The vector accesses that pay: where an array's elements are, for the most part, loaded in fours. */
export function vectorAccessOf(kernel: Kernel): VectorAccess {
  return new Finder(kernel).find();
}

/** Elements of one vector, by component. */
interface Group<T> {
  readonly binding: number;
  readonly index: Expr;
  readonly parts: T[][];
}

class Finder {
  readonly #kernel: Kernel;
  readonly #mutable = new Set<string>();
  readonly #ids = new Map<Expr, number>();
  readonly #idsByText = new Map<string, number>();
  /** Expressions that are another value each time, since they read what changes. */
  readonly #unstable = new Set<Expr>();
  readonly #loads = new Map<string, Group<Expr>>();
  /** By binding: distinct loads that are in no vector. */
  readonly #single = new Map<number, Set<number>>();
  readonly #stores = new Map<Store, Group<Store>>();
  readonly #unmerged = new Set<number>();

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  find(): VectorAccess {
    this.#nameMutable(this.#kernel.body);
    this.#block(this.#kernel.body);
    const loads = new Map<Expr, VectorElement>();
    const stores = new Map<Statement, { index: Expr; parts: Store[] }>();
    const merged = new Set<Statement>();
    const bindings = this.#bindingsThatPay();
    for (const { binding, index, parts } of this.#loads.values()) {
      if (!bindings.has(binding) || parts.some((part) => part.length === 0)) continue;
      for (const [component, part] of parts.entries()) for (const x of part) loads.set(x, { index, component });
    }
    for (const [first, { binding, index, parts }] of this.#stores) {
      if (!bindings.has(binding)) continue;
      const all = parts.flat();
      stores.set(first, { index, parts: all });
      for (const part of all) if (part !== first) merged.add(part);
    }
    return { bindings, loads, stores, merged };
  }

  #bindingsThatPay(): Set<number> {
    const inFours = new Map<number, number>();
    for (const { binding, parts } of this.#loads.values()) {
      const isWhole = parts.every((part) => part.length > 0);
      if (isWhole) inFours.set(binding, (inFours.get(binding) ?? 0) + VECTOR);
      else for (const [x] of parts) if (x !== undefined) this.#addSingle(binding, x);
    }
    const out = new Set<number>();
    for (const [binding, count] of inFours) if (count >= (this.#single.get(binding)?.size ?? 0)) out.add(binding);
    for (const { binding } of this.#stores.values()) if (!this.#unmerged.has(binding)) out.add(binding);
    // One array under two numbers has one type.
    const isWhole = (at: number): boolean =>
      this.#kernel.bindings.every(({ aliasOf }, i) => aliasOf !== at || out.has(i)) && out.has(at);
    return new Set([...out].filter((i) => isWhole(this.#kernel.bindings[i]?.aliasOf ?? i)));
  }

  #addSingle(binding: number, x: Expr): void {
    const known = this.#single.get(binding) ?? new Set();
    this.#single.set(binding, known.add(this.#idOf(x)));
  }

  #nameMutable(statements: readonly Statement[]): void {
    for (const statement of statements) {
      if (statement.kind === "var") this.#mutable.add(statement.name);
      if ("body" in statement) this.#nameMutable(statement.body);
    }
  }

  #block(statements: readonly Statement[]): void {
    let run: Store[] = [];
    for (const statement of statements) {
      for (const x of expressionsOf(statement)) this.#idOf(x);
      if ("body" in statement) this.#block(statement.body);
      if (statement.kind === "store" && this.#kernel.bindings[statement.binding]?.access === "write") {
        run.push(statement);
        continue;
      }
      this.#groupStores(run);
      run = [];
    }
    this.#groupStores(run);
  }

  /** Stores that follow one another; none changes what another one stores. */
  #groupStores(run: readonly Store[]): void {
    const groups = new Map<string, Group<Store>>();
    for (const store of run) {
      const element = this.#elementOf(store.binding, store.index);
      if (element === undefined) this.#unmerged.add(store.binding);
      else addTo(groups, this.#groupKey(store.binding, element.index), store.binding, element, store);
    }
    for (const group of groups.values()) {
      const [first] = group.parts[0] ?? [];
      if (first !== undefined && group.parts.every((part) => part.length === 1)) {
        const all = new Set(group.parts.flat());
        const earliest = run.find((store) => all.has(store)) ?? first;
        this.#stores.set(earliest, group);
      } else {
        this.#unmerged.add(group.binding);
      }
    }
  }

  /** The number of an expression, the same for those that are alike; takes note of loads. */
  #idOf(root: Expr): number {
    visitOperandsFirst(
      root,
      (x) => this.#ids.has(x),
      (x) => {
        const text = `${keyOf(x)}:${operandsOf(x).map((operand) => this.#ids.get(operand)).join()}`; // prettier-ignore
        const id = this.#idsByText.get(text) ?? this.#idsByText.size;
        this.#idsByText.set(text, id);
        this.#ids.set(x, id);
        if (this.#isUnstable(x)) this.#unstable.add(x);
        if (x.kind === "load") this.#noteLoad(x);
      },
    );
    return this.#ids.get(root) ?? 0;
  }

  #isUnstable(x: Expr): boolean {
    if (x.kind === "variable") return this.#mutable.has(x.name);
    if (x.kind === "loadShared" || x.kind === "loadPrivate") return true;
    if (x.kind === "load" && this.#kernel.bindings[x.binding]?.access !== "read") return true;
    return operandsOf(x).some((operand) => this.#unstable.has(operand));
  }

  #noteLoad(x: Expr & { kind: "load" }): void {
    if (this.#unstable.has(x)) return;
    const element = this.#elementOf(x.binding, x.index);
    if (element === undefined) this.#addSingle(x.binding, x);
    else addTo(this.#loads, this.#groupKey(x.binding, element.index), x.binding, element, x);
  }

  /** Where an element is among an array's vectors: undefined where that is not known for sure. */
  #elementOf(binding: number, index: Expr): VectorElement | undefined {
    const length = this.#kernel.bindings[binding]?.length ?? 0;
    const sum = length % VECTOR === 0 ? termsOf(index, "deep") : undefined;
    if (sum === undefined || sum.terms.some(({ factor }) => factor % VECTOR !== 0)) return undefined;
    const { min, max } = boundsOf(sum);
    if (min < 0 || max >= length) return undefined;
    const component = sum.offset & (VECTOR - 1);
    const terms = sum.terms.map(({ x, factor }) => ({ x, factor: factor / VECTOR }));
    return { index: sumExpr(index.type, { terms, offset: (sum.offset - component) / VECTOR }), component };
  }

  #groupKey(binding: number, index: Expr): string {
    const sum = termsOf(index, "deep");
    const terms = (sum?.terms ?? []).map(({ x, factor }) => `${this.#idOf(x)} ${factor}`).sort();
    return `${binding};${terms.join()};${sum?.offset}`;
  }
}

function addTo<T>(
  groups: Map<string, Group<T>>,
  key: string,
  binding: number,
  { index, component }: VectorElement,
  part: T,
): void {
  const group = groups.get(key) ?? { binding, index, parts: Array.from({ length: VECTOR }, () => []) };
  groups.set(key, group);
  group.parts[component]?.push(part);
}
