/** Datasets made of others: a choice of their examples, several in a row, or each example changed. */
import { OptionError } from "../../../base/errors.ts";
import type { Dataset } from "./dataset.ts";

/** @throws OptionError unless `index` is that of an example */
export function checkIndex(what: string, index: number, length: number): void {
  if (!Number.isInteger(index) || index < 0 || index >= length) {
    throw new OptionError(`${what}: expected an index from 0 to ${length - 1}, found ${index}`);
  }
}

/** The examples of `dataset` at `indices`, in that order. */
export class Subset<T> implements Dataset<T> {
  readonly dataset: Dataset<T>;
  readonly indices: ArrayLike<number>;

  /** @throws OptionError for an index that the dataset lacks */
  constructor(dataset: Dataset<T>, indices: ArrayLike<number>) {
    for (let i = 0; i < indices.length; i++) checkIndex("Subset", indices[i] ?? -1, dataset.length);
    this.dataset = dataset;
    this.indices = indices;
  }

  get length(): number {
    return this.indices.length;
  }

  /** Example `index`, from 0. @throws OptionError */
  get(index: number): T | Promise<T> {
    checkIndex("Subset", index, this.length);
    return this.dataset.get(this.indices[index] ?? 0);
  }
}

/** The examples of all `datasets`, one dataset after another. */
export class ConcatDataset<T> implements Dataset<T> {
  readonly datasets: readonly Dataset<T>[];
  readonly #ends: readonly number[];

  /** @throws OptionError for none */
  constructor(datasets: readonly Dataset<T>[]) {
    if (datasets.length === 0) throw new OptionError("ConcatDataset: expected at least one dataset, found none");
    this.datasets = datasets;
    let end = 0;
    this.#ends = datasets.map(({ length }) => (end += length));
  }

  get length(): number {
    return this.#ends.at(-1) ?? 0;
  }

  /** Example `index`, from 0. @throws OptionError */
  get(index: number): T | Promise<T> {
    checkIndex("ConcatDataset", index, this.length);
    const at = this.#ends.findIndex((end) => index < end);
    const dataset = this.datasets[at] as Dataset<T>;
    return dataset.get(index - ((this.#ends[at] ?? 0) - dataset.length));
  }
}

/** Each example of `dataset` changed by `transform` whenever it is asked for. */
export class MapDataset<T, U> implements Dataset<U> {
  readonly #dataset: Dataset<T>;
  readonly #transform: (example: T, index: number) => U | Promise<U>;

  constructor(dataset: Dataset<T>, transform: (example: T, index: number) => U | Promise<U>) {
    this.#dataset = dataset;
    this.#transform = transform;
  }

  get length(): number {
    return this.#dataset.length;
  }

  /** Example `index`, from 0, changed. @throws OptionError */
  get(index: number): U | Promise<U> {
    checkIndex("MapDataset", index, this.length);
    const example = this.#dataset.get(index);
    if (example instanceof Promise) return example.then((value: T) => this.#transform(value, index));
    return this.#transform(example, index);
  }
}
