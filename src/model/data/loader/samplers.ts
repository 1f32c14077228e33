/**
 * The order in which examples are drawn: a function of seed and epoch alone, and of the place in the epoch, so that
 * training goes on from any place. Sums and comparisons only, no logarithms: the same on every machine.
 */
import { OptionError } from "../../../base/errors.ts";
import { philox, Random } from "../../../base/random.ts";
import { permutation } from "../dataset/permutation.ts";
import type { Order } from "../dataset/permutation.ts";

/** Draws indices. */
export interface Sampler {
  /** Draws in an epoch. */
  readonly length: number;
  /** The index at each place of the epoch. */
  order(epoch: number): Order;
}

/** Draws whole batches of indices. */
export interface IndexBatches {
  /** Batches in an epoch. */
  readonly length: number;
  /** The indices of each batch of the epoch. */
  batches(epoch: number): (batch: number) => number[];
}

/** 0, 1, 2, ... */
export class SequentialSampler implements Sampler {
  readonly length: number;

  constructor(length: number) {
    this.length = length;
  }

  order(): Order {
    return (place) => place;
  }
}

/** Options of `RandomSampler`. */
export interface RandomSamplerOptions {
  /** 0 by default. */
  readonly seed?: number | string;
  /** Draw each time from all: some come twice, some never. */
  readonly replacement?: boolean;
  /** Draws in an epoch; as many as there are examples by default. Without replacement: not more than that. */
  readonly numSamples?: number;
}

/** Every index once an epoch, in a random order; or independent draws, with `replacement`. */
export class RandomSampler implements Sampler {
  readonly length: number;
  readonly #examples: number;
  readonly #seed: number | string;
  readonly #replacement: boolean;

  /** @throws OptionError */
  constructor(examples: number, { seed = 0, replacement = false, numSamples = examples }: RandomSamplerOptions = {}) {
    checkDraws("RandomSampler", numSamples, examples, replacement);
    this.length = numSamples;
    this.#examples = examples;
    this.#seed = seed;
    this.#replacement = replacement;
  }

  order(epoch: number): Order {
    if (!this.#replacement) return permutation(this.#examples, this.#seed, epoch);
    const draw = draws(this.#seed, "replacement", epoch);
    return (place) => Math.floor(draw(place) * this.#examples);
  }
}

/** The given indices in a random order. */
export class SubsetRandomSampler implements Sampler {
  readonly #indices: readonly number[];
  readonly #seed: number | string;

  constructor(indices: readonly number[], { seed = 0 }: Pick<RandomSamplerOptions, "seed"> = {}) {
    this.#indices = indices;
    this.#seed = seed;
  }

  get length(): number {
    return this.#indices.length;
  }

  order(epoch: number): Order {
    const order = permutation(this.length, this.#seed, epoch);
    return (place) => this.#indices[order(place)] ?? 0;
  }
}

/** Draws index i with probability weights[i] / sum(weights). */
export class WeightedRandomSampler implements Sampler {
  readonly length: number;
  readonly #weights: readonly number[];
  readonly #seed: number | string;
  readonly #replacement: boolean;

  /** @throws OptionError */
  constructor(
    weights: readonly number[],
    numSamples: number,
    { seed = 0, replacement = true }: Omit<RandomSamplerOptions, "numSamples"> = {},
  ) {
    const bad = weights.find((weight) => !(weight >= 0 && weight < Infinity));
    if (bad !== undefined) {
      throw new OptionError(`WeightedRandomSampler: expected weights of at least 0, found ${bad}`);
    }
    checkDraws("WeightedRandomSampler", numSamples, weights.filter((weight) => weight > 0).length, replacement);
    this.length = numSamples;
    this.#weights = weights;
    this.#seed = seed;
    this.#replacement = replacement;
  }

  order(epoch: number): Order {
    const sums = new PartialSums(this.#weights);
    const draw = draws(this.#seed, "weighted", epoch);
    if (this.#replacement) return (place) => sums.find(draw(place) * sums.total());
    const drawn = Array.from({ length: this.length }, (_, place) => {
      const index = sums.find(draw(place) * sums.total());
      sums.clear(index);
      return index;
    });
    return (place) => drawn[place] ?? 0;
  }
}

/** Consecutive draws of `sampler`, `batchSize` together. */
export class BatchSampler implements IndexBatches {
  readonly #sampler: Sampler;
  readonly #batchSize: number;
  readonly #dropLast: boolean;

  /** @throws OptionError */
  constructor(sampler: Sampler, batchSize: number, dropLast: boolean = false) {
    if (!Number.isInteger(batchSize) || batchSize < 1) {
      throw new OptionError(`BatchSampler: expected a batchSize of at least 1, found ${batchSize}`);
    }
    this.#sampler = sampler;
    this.#batchSize = batchSize;
    this.#dropLast = dropLast;
  }

  get length(): number {
    const batches = this.#sampler.length / this.#batchSize;
    return this.#dropLast ? Math.floor(batches) : Math.ceil(batches);
  }

  batches(epoch: number): (batch: number) => number[] {
    const order = this.#sampler.order(epoch);
    return (batch) => {
      const from = batch * this.#batchSize;
      const count = Math.min(this.#batchSize, this.#sampler.length - from);
      return Array.from({ length: count }, (_, i) => order(from + i));
    };
  }
}

/** A number in [0, 1) of 53 bits for each place, each on its own. */
function draws(seed: number | string, ...labels: readonly (number | string)[]): (place: number) => number {
  const random = new Random(seed, ...labels);
  const key = [random.uint32(), random.uint32()] as const;
  return (place) => {
    const [high, low] = philox([place >>> 0, Math.floor(place / 2 ** 32), 0, 0], key);
    return ((high >>> 5) * 2 ** 26 + (low >>> 6)) / 2 ** 53;
  };
}

function checkDraws(operation: string, draws: number, examples: number, replacement: boolean): void {
  const isCount = Number.isInteger(draws) && draws >= 0;
  const isThere = replacement ? examples > 0 || draws === 0 : draws <= examples;
  if (!isCount || !isThere) {
    throw new OptionError(
      `${operation}: expected draws from ${examples} examples ${replacement ? "with" : "without"} replacement, found ${draws}`,
    );
  }
}

/** Weights in a tree of sums: a place is found, and a weight taken out, in log2(n) steps. */
class PartialSums {
  readonly #size: number;
  readonly #sums: Float64Array;

  constructor(weights: readonly number[]) {
    let size = 1;
    while (size < weights.length) size *= 2;
    this.#size = size;
    // Node i has the children 2i and 2i + 1; leaves begin at #size.
    this.#sums = new Float64Array(2 * size);
    this.#sums.set(weights, size);
    for (let node = size - 1; node >= 1; node--) this.#update(node);
  }

  total(): number {
    return this.#sums[1] ?? 0;
  }

  /** The index whose share of the running sum holds `target`. */
  find(target: number): number {
    let rest = target;
    let node = 1;
    while (node < this.#size) {
      const left = this.#sums[2 * node] ?? 0;
      const right = this.#sums[2 * node + 1] ?? 0;
      // Rounding may lead past the last weight: never into a branch that has none.
      const goesLeft = right === 0 || (left > 0 && rest < left);
      if (!goesLeft) rest -= left;
      node = 2 * node + (goesLeft ? 0 : 1);
    }
    return node - this.#size;
  }

  clear(index: number): void {
    let node = this.#size + index;
    this.#sums[node] = 0;
    for (node = Math.floor(node / 2); node >= 1; node = Math.floor(node / 2)) this.#update(node);
  }

  #update(node: number): void {
    this.#sums[node] = (this.#sums[2 * node] ?? 0) + (this.#sums[2 * node + 1] ?? 0);
  }
}
