/** Modules that hold modules or parameters: by place, or by name. */
import { OptionError } from "../../base/errors.ts";
import type { Tensor } from "../../compute/tensor/tensor.ts";
import { Module } from "./module.ts";
import type { Parameter } from "./parameter.ts";

/** A module from one tensor to one. */
export interface Layer extends Module {
  forward(x: Tensor): Tensor;
}

/** Members in a row: "0", "1" and so on. */
abstract class List<T> extends Module implements Iterable<T> {
  readonly #items: T[];

  constructor(items: Iterable<T>) {
    super();
    this.#items = [...items];
  }

  get length(): number {
    return this.#items.length;
  }

  /** Negative indices count from the end. @throws OptionError outside of the list */
  at(index: number): T {
    const item = this.#items.at(index);
    if (item === undefined || !Number.isInteger(index)) {
      throw new OptionError(`${this.constructor.name}: expected an index below ${this.length}, found ${index}`);
    }
    return item;
  }

  /** `items` after the last one. */
  push(...items: T[]): this {
    this.#items.push(...items);
    return this;
  }

  /** `item` after the last one. */
  append(item: T): this {
    return this.push(item);
  }

  /** All of `items` after the last one. */
  extend(items: Iterable<T>): this {
    return this.push(...items);
  }

  /** `item` before the one at `index`. */
  insert(index: number, item: T): this {
    this.#items.splice(index, 0, item);
    return this;
  }

  /** The members in their order. */
  [Symbol.iterator](): Iterator<T> {
    return this.#items[Symbol.iterator]();
  }

  protected override members(): Iterable<readonly [string, unknown]> {
    return this.#items.map((item, index) => [String(index), item] as const);
  }
}

/** Members by name, in the order in which they came. */
abstract class Dict<T> extends Module implements Iterable<readonly [string, T]> {
  readonly #items = new Map<string, T>();

  constructor(items: Readonly<Record<string, T>> | Iterable<readonly [string, T]>) {
    super();
    this.update(items);
  }

  get size(): number {
    return this.#items.size;
  }

  /** True when there is a member of this name. */
  has(name: string): boolean {
    return this.#items.has(name);
  }

  /** @throws OptionError for a name that is not there */
  get(name: string): T {
    const item = this.#items.get(name);
    if (item === undefined) {
      throw new OptionError(`${this.constructor.name}: expected one of ${this.keys().join(", ")}, found ${name}`);
    }
    return item;
  }

  /** @throws OptionError for a name that is empty or has dots */
  set(name: string, item: T): this {
    if (name === "" || name.includes(".")) {
      throw new OptionError(`${this.constructor.name}: expected names without dots, found "${name}"`);
    }
    this.#items.set(name, item);
    return this;
  }

  /** Sets all of `items`. @throws OptionError for a name that is empty or has dots */
  update(items: Readonly<Record<string, T>> | Iterable<readonly [string, T]>): this {
    for (const [name, item] of entriesOf(items)) this.set(name, item);
    return this;
  }

  /** Takes a member out; false when there was none. */
  delete(name: string): boolean {
    return this.#items.delete(name);
  }

  /** Names, in their order. */
  keys(): string[] {
    return [...this.#items.keys()];
  }

  /** Members, in their order. */
  values(): T[] {
    return [...this.#items.values()];
  }

  /** Pairs of name and member, in their order. */
  [Symbol.iterator](): Iterator<readonly [string, T]> {
    return this.#items[Symbol.iterator]();
  }

  protected override members(): Iterable<readonly [string, unknown]> {
    return this.#items;
  }
}

function entriesOf<T>(
  items: Readonly<Record<string, T>> | Iterable<readonly [string, T]>,
): Iterable<readonly [string, T]> {
  return Symbol.iterator in items ? items : Object.entries(items);
}

/** Modules in a row, named "0", "1" and so on. Has no forward of its own. */
export class ModuleList<T extends Module = Layer> extends List<T> {
  constructor(items: Iterable<T> = []) {
    super(items);
  }
}

/** Parameters in a row, named "0", "1" and so on. */
export class ParameterList extends List<Parameter> {
  constructor(items: Iterable<Parameter> = []) {
    super(items);
  }
}

/** Modules by name. JavaScript puts names that are whole numbers first; pairs keep every order. */
export class ModuleDict<T extends Module = Layer> extends Dict<T> {
  constructor(items: Readonly<Record<string, T>> | Iterable<readonly [string, T]> = {}) {
    super(items);
  }
}

/** Parameters by name. */
export class ParameterDict extends Dict<Parameter> {
  constructor(items: Readonly<Record<string, Parameter>> | Iterable<readonly [string, Parameter]> = {}) {
    super(items);
  }
}

/**
 * Layers one after another: `new Sequential(a, b)`, or with names, `new Sequential({ fc: a, act: b })`. From what the
 * first one takes to what the last one gives.
 */
export class Sequential extends Module implements Iterable<Layer> {
  readonly #layers: [name: string, layer: Layer][];

  constructor(...layers: readonly Layer[] | readonly [Readonly<Record<string, Layer>>]) {
    super();
    const [first] = layers;
    const isNamed = layers.length === 1 && first !== undefined && !(first instanceof Module);
    this.#layers = isNamed
      ? Object.entries(first)
      : (layers as readonly Layer[]).map((layer, index) => [String(index), layer]);
  }

  get length(): number {
    return this.#layers.length;
  }

  forward(x: Tensor): Tensor {
    let out = x;
    for (const layer of this) out = layer.call(out);
    return out;
  }

  /** Negative indices count from the end. @throws OptionError outside of the list */
  at(index: number): Layer {
    const entry = this.#layers.at(index);
    if (entry === undefined || !Number.isInteger(index)) {
      throw new OptionError(`Sequential: expected an index below ${this.length}, found ${index}`);
    }
    return entry[1];
  }

  /** @throws OptionError for a name that is not there */
  get(name: string): Layer {
    const entry = this.#layers.find(([known]) => known === name);
    if (entry !== undefined) return entry[1];
    throw new OptionError(
      `Sequential: expected one of ${this.#layers.map(([known]) => known).join(", ")}, found ${name}`,
    );
  }

  /** `layers` after the last one. */
  push(...layers: readonly Layer[]): this {
    for (const layer of layers) this.#layers.push([String(this.length), layer]);
    return this;
  }

  /** `layer` after the last one. */
  append(layer: Layer): this {
    return this.push(layer);
  }

  /** The layers in their order. */
  *[Symbol.iterator](): Iterator<Layer> {
    for (const [, layer] of this.#layers) yield layer;
  }

  protected override members(): Iterable<readonly [string, unknown]> {
    return this.#layers;
  }
}
