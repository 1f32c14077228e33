/**
 * Vector accesses: which loads and stores of a kernel touch four neighbours, 4q to 4q + 3, so that a target may move
 * them as one vector. The language stays scalar; a target that has no vectors ignores this.
 *
 * Fewer, wider accesses are fewer clamped indices, and on software adapters fewer branches a lane. Elements of bindings
 * that are only read are grouped wherever they are loaded; those of the workgroup's arrays where lets of them follow one
 * another. Stores are grouped where they follow one another, and only in arrays that have no other stores: WGSL may
 * write a whole vector for one of its components, which would race.
 */
import type { Expr, Kernel, Statement } from "./kernel.ts";
import { boundsOf, sumExpr, termsOf } from "./sum.ts";
import { VECTOR, type Store, type VectorAccess, type VectorElement } from "./vector-access.ts";
import { keyOf } from "./value-rules.ts";
import { expressionsOf, operandsOf, visitOperandsFirst } from "./walk.ts";

type Let = Statement & { readonly kind: "let" };

/** The vector accesses that pay: where an array's elements are, for the most part, loaded in fours. */
export function vectorAccessOf(kernel: Kernel): VectorAccess {
  return new Finder(kernel).find();
}

/** Accesses to the elements of one vector, by component. */
interface Group<T> {
  readonly array: string;
  readonly index: Expr;
  readonly parts: T[][];
}

/** Arrays by a name: "b2" is a binding, "s0" one that the workgroup shares. */
function bindingName(binding: number): string {
  return `b${binding}`;
}

function sharedName(array: number): string {
  return `s${array}`;
}

class Finder {
  readonly #kernel: Kernel;
  readonly #lengths: ReadonlyMap<string, number>;
  readonly #mutable = new Set<string>();
  readonly #ids = new Map<Expr, number>();
  readonly #idsByText = new Map<string, number>();
  /** Expressions that are another value each time, since they read what changes. */
  readonly #unstable = new Set<Expr>();
  readonly #loads = new Map<string, Group<Expr>>();
  readonly #lets: Group<Let>[] = [];
  /** By array: distinct loads that are in no vector. */
  readonly #single = new Map<string, Set<number>>();
  readonly #stores = new Map<Store, Group<Store>>();
  readonly #unmerged = new Set<string>();

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
    const { bindings, workgroup } = kernel;
    this.#lengths = new Map([
      ...bindings.map(({ length }, i) => [bindingName(i), length] as const),
      ...(workgroup?.shared ?? []).map(({ length }, i) => [sharedName(i), length] as const),
    ]);
  }

  find(): VectorAccess {
    this.#nameMutable(this.#kernel.body);
    this.#block(this.#kernel.body);
    const arrays = this.#arraysThatPay();
    const loads = new Map<Expr, VectorElement>();
    for (const { array, index, parts } of this.#loads.values()) {
      if (!arrays.has(array) || !isWhole(parts)) continue;
      for (const [component, part] of parts.entries()) for (const x of part) loads.set(x, { index, component });
    }
    const lets = new Map<Statement, { first: Statement } & VectorElement>();
    for (const { array, index, parts } of this.#lets) {
      const [first] = parts.flat();
      if (!arrays.has(array) || first === undefined) continue;
      for (const [component, part] of parts.entries()) for (const x of part) lets.set(x, { first, index, component });
    }
    const stores = new Map<Statement, { index: Expr; parts: Store[] }>();
    const merged = new Set<Statement>();
    for (const [first, { array, index, parts }] of this.#stores) {
      if (!arrays.has(array)) continue;
      const all = parts.flat();
      stores.set(first, { index, parts: all });
      for (const part of all) if (part !== first) merged.add(part);
    }
    const numbered = (name: (at: number) => string, count: number): Set<number> =>
      new Set(Array.from({ length: count }, (_, i) => i).filter((i) => arrays.has(name(i))));
    const { bindings, workgroup } = this.#kernel;
    const shared = numbered(sharedName, workgroup?.shared.length ?? 0);
    return { bindings: numbered(bindingName, bindings.length), shared, loads, lets, stores, merged };
  }

  #arraysThatPay(): Set<string> {
    const inFours = new Map<string, number>();
    const count = (array: string): void => void inFours.set(array, (inFours.get(array) ?? 0) + VECTOR);
    for (const { array, parts } of this.#loads.values()) {
      if (isWhole(parts)) count(array);
      else for (const [x] of parts) if (x !== undefined) this.#addSingle(array, x);
    }
    for (const { array } of this.#lets) count(array);
    const out = new Set<string>();
    for (const [array, loads] of inFours) {
      const pays = loads >= (this.#single.get(array)?.size ?? 0);
      if (pays && !this.#unmerged.has(array)) out.add(array);
    }
    // What is only stored.
    for (const { array } of this.#stores.values()) {
      if (!this.#unmerged.has(array) && !this.#single.has(array)) out.add(array);
    }
    // One array under two numbers has one type.
    const { bindings } = this.#kernel;
    const isOne = (at: number): boolean =>
      out.has(bindingName(at)) && bindings.every(({ aliasOf }, i) => aliasOf !== at || out.has(bindingName(i)));
    for (const [i, { aliasOf }] of bindings.entries()) {
      if (aliasOf === undefined || isOne(aliasOf)) continue;
      out.delete(bindingName(i));
      out.delete(bindingName(aliasOf));
    }
    return out;
  }

  #addSingle(array: string, x: Expr): void {
    const known = this.#single.get(array) ?? new Set();
    this.#single.set(array, known.add(this.#idOf(x)));
  }

  #nameMutable(statements: readonly Statement[]): void {
    for (const statement of statements) {
      if (statement.kind === "var") this.#mutable.add(statement.name);
      if ("body" in statement) this.#nameMutable(statement.body);
    }
  }

  #block(statements: readonly Statement[]): void {
    let stores: Store[] = [];
    let lets: Let[] = [];
    const end = (): void => {
      this.#groupStores(stores);
      this.#groupLets(lets);
      stores = [];
      lets = [];
    };
    for (const statement of statements) {
      const isShared = statement.kind === "let" && statement.value.kind === "loadShared";
      for (const x of isShared ? [statement.value.index] : expressionsOf(statement)) this.#idOf(x);
      if ("body" in statement) this.#block(statement.body);
      if (isShared && stores.length === 0) lets.push(statement);
      else if (this.#isStore(statement) && lets.length === 0) stores.push(statement);
      else {
        end();
        if (isShared) lets.push(statement);
        else if (this.#isStore(statement)) stores.push(statement);
      }
    }
    end();
  }

  #isStore(statement: Statement): statement is Store {
    return (
      statement.kind === "storeShared" ||
      (statement.kind === "store" && this.#kernel.bindings[statement.binding]?.access === "write")
    );
  }

  /** Loads from the workgroup's arrays that follow one another: nothing is stored in between. */
  #groupLets(run: readonly Let[]): void {
    const groups = new Map<string, Group<Let>>();
    for (const statement of run) {
      const { value } = statement;
      if (value.kind !== "loadShared") continue;
      const array = sharedName(value.array);
      const element = this.#elementOf(array, value.index);
      if (element === undefined) this.#addSingle(array, value);
      else addTo(groups, this.#groupKey(array, element.index), array, element, statement);
    }
    for (const group of groups.values()) {
      if (group.parts.every((part) => part.length === 1)) this.#lets.push(group);
      else for (const { value } of group.parts.flat()) this.#addSingle(group.array, value);
    }
  }

  /** Stores that follow one another; none changes what another one stores. */
  #groupStores(run: readonly Store[]): void {
    const groups = new Map<string, Group<Store>>();
    for (const store of run) {
      const array = store.kind === "store" ? bindingName(store.binding) : sharedName(store.array);
      const element = this.#elementOf(array, store.index);
      if (element === undefined || this.#readsShared(store.value)) this.#unmerged.add(array);
      else addTo(groups, this.#groupKey(array, element.index), array, element, store);
    }
    for (const group of groups.values()) {
      if (group.parts.every((part) => part.length === 1)) {
        const all = new Set(group.parts.flat());
        const first = run.find((store) => all.has(store));
        if (first !== undefined) this.#stores.set(first, group);
      } else {
        this.#unmerged.add(group.array);
      }
    }
  }

  /** Another store may come before it. */
  #readsShared(value: Expr): boolean {
    let reads = false;
    const seen = new Set<Expr>();
    visitOperandsFirst(
      value,
      (x) => seen.has(x),
      (x) => {
        seen.add(x);
        reads ||= x.kind === "loadShared";
      },
    );
    return reads;
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
        if (x.kind === "loadShared") this.#addSingle(sharedName(x.array), x);
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
    const array = bindingName(x.binding);
    const element = this.#elementOf(array, x.index);
    if (element === undefined) this.#addSingle(array, x);
    else addTo(this.#loads, this.#groupKey(array, element.index), array, element, x);
  }

  /** Where an element is among an array's vectors: undefined where that is not known for sure. */
  #elementOf(array: string, index: Expr): VectorElement | undefined {
    const length = this.#lengths.get(array) ?? 0;
    const sum = length % VECTOR === 0 ? termsOf(index, "deep") : undefined;
    if (sum === undefined || sum.terms.some(({ factor }) => factor % VECTOR !== 0)) return undefined;
    const { min, max } = boundsOf(sum);
    if (min < 0 || max >= length) return undefined;
    const component = sum.offset & (VECTOR - 1);
    const terms = sum.terms.map(({ x, factor }) => ({ x, factor: factor / VECTOR }));
    return { index: sumExpr(index.type, { terms, offset: (sum.offset - component) / VECTOR }), component };
  }

  #groupKey(array: string, index: Expr): string {
    const sum = termsOf(index, "deep");
    const terms = (sum?.terms ?? []).map(({ x, factor }) => `${this.#idOf(x)} ${factor}`).sort();
    return `${array};${terms.join()};${sum?.offset}`;
  }
}

function isWhole(parts: readonly (readonly unknown[])[]): boolean {
  return parts.every((part) => part.length > 0);
}

function addTo<T>(
  groups: Map<string, Group<T>>,
  key: string,
  array: string,
  { index, component }: VectorElement,
  part: T,
): void {
  const group = groups.get(key) ?? { array, index, parts: Array.from({ length: VECTOR }, () => []) };
  groups.set(key, group);
  group.parts[component]?.push(part);
}
