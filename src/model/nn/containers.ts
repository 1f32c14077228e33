/** Modules that hold modules, named by their place. */
import { OptionError } from "../../base/errors.ts";
import type { Tensor } from "../../compute/tensor/tensor.ts";
import { Module } from "./module.ts";

/** A module from one tensor to one. */
export interface Layer extends Module {
  forward(x: Tensor): Tensor;
}

/** Modules in a list: "0", "1" and so on. */
export class ModuleList<T extends Module = Layer> extends Module implements Iterable<T> {
  readonly #items: T[];

  constructor(items: Iterable<T> = []) {
    super();
    this.#items = [...items];
  }

  get length(): number {
    return this.#items.length;
  }

  /** @throws OptionError outside of the list */
  at(index: number): T {
    const item = this.#items.at(index);
    if (item === undefined) throw new OptionError(`ModuleList: expected an index below ${this.length}, found ${index}`);
    return item;
  }

  push(item: T): this {
    this.#items.push(item);
    return this;
  }

  [Symbol.iterator](): Iterator<T> {
    return this.#items[Symbol.iterator]();
  }

  protected override members(): Iterable<readonly [string, unknown]> {
    return this.#items.map((item, index) => [String(index), item] as const);
  }
}

/** Layers one after another. */
export class Sequential extends ModuleList<Layer> {
  constructor(...layers: Layer[]) {
    super(layers);
  }

  forward(x: Tensor): Tensor {
    let out = x;
    for (const layer of this) out = layer.forward(out);
    return out;
  }
}
