/**
 * Which results of a slot's plan make which bucket: the loss and the gradient of each parameter are read in stages, one a
 * bucket, and put together to the flat gradient.
 */
import { assert, present } from "../../../base/assert.ts";
import type { HostArray, Stages } from "../../../compute/runtime/runtime.ts";
import { gradientBuckets, type GradientBucket } from "./gradient-buckets.ts";

/** Elements [from, to) of the flat gradient. */
interface Range {
  readonly from: number;
  readonly to: number;
}

/** Of a plan whose results are the loss and, for each parameter in order, its gradient. */
export class GradientStages {
  /** Numbers of results by stage. The loss is in the first. */
  readonly outputs: Stages;
  readonly #ranges: readonly Range[];
  readonly #buckets: readonly GradientBucket[];

  /** `lengths`: elements of each parameter. */
  constructor(lengths: readonly number[]) {
    let at = 0;
    this.#ranges = lengths.map((length) => ({ from: at, to: (at += length) }));
    this.#buckets = gradientBuckets(at);
    const taken = new Set<number>();
    // One that lies in two buckets is read with the first; a bucket inside of one parameter needs no stage of its own.
    const stages = this.#buckets.map((bucket) => {
      const own = this.#parametersOf(bucket).filter((parameter) => !taken.has(parameter));
      for (const parameter of own) taken.add(parameter);
      return own.map((parameter) => parameter + 1);
    });
    const [first = [], ...rest] = stages;
    this.outputs = [[0, ...first], ...rest.filter((stage) => stage.length > 0)];
  }

  /** Buckets that are whole with `stage`, and with no earlier one. */
  bucketsAt(stage: number): number[] {
    const last = this.#buckets.map((bucket) => {
      const results = this.#parametersOf(bucket).map((parameter) => parameter + 1);
      return this.outputs.findLastIndex((outputs) => outputs.some((output) => results.includes(output)));
    });
    return [...last.keys()].filter((bucket) => last[bucket] === stage);
  }

  /** Elements [from, to) of the flat gradient that are the stage's result number `result`. */
  rangesAt(stage: number): { readonly result: number; readonly from: number; readonly to: number }[] {
    return (this.outputs[stage] ?? []).flatMap((output, result) => {
      if (output === 0) return [];
      return [{ result, ...present(this.#ranges[output - 1], "gradients: a parameter") }];
    });
  }

  /** For one slot. `onBucket` is told as `StepEngine.slot` says. */
  begin(onBucket: (gradient: Float32Array) => void): GradientAssembly {
    const needs = this.#buckets.map((bucket) => this.#parametersOf(bucket));
    return new GradientAssembly({ outputs: this.outputs, ranges: this.#ranges, needs, onBucket });
  }

  #parametersOf(bucket: GradientBucket): number[] {
    return [...this.#ranges.keys()].filter((parameter) => {
      const { from, to } = present(this.#ranges[parameter], "gradients: a parameter");
      return from < bucket.to && to > bucket.from;
    });
  }
}

interface AssemblyParts {
  readonly outputs: Stages;
  readonly ranges: readonly Range[];
  /** Parameters that each bucket is made of. */
  readonly needs: readonly (readonly number[])[];
  readonly onBucket: (gradient: Float32Array) => void;
}

class GradientAssembly {
  readonly #parts: AssemblyParts;
  readonly #gradient: Float32Array<ArrayBuffer>;
  readonly #there = new Set<number>();
  #loss = Number.NaN;
  #told = 0;

  constructor(parts: AssemblyParts) {
    this.#parts = parts;
    this.#gradient = new Float32Array(parts.ranges.at(-1)?.to ?? 0);
  }

  /** A stage's results. */
  take(stage: number, values: readonly HostArray[]): void {
    const { outputs, ranges, needs, onBucket } = this.#parts;
    for (const [i, output] of (outputs[stage] ?? []).entries()) {
      const value = present(values[i], "gradients: a result");
      if (output === 0) this.#loss = value[0] ?? Number.NaN;
      else {
        this.#gradient.set(value, present(ranges[output - 1], "gradients: a parameter").from);
        this.#there.add(output - 1);
      }
    }
    while (needs[this.#told]?.every((parameter) => this.#there.has(parameter)) === true) {
      this.#told += 1;
      onBucket(this.#gradient);
    }
  }

  result(): { readonly loss: number; readonly gradient: Float32Array<ArrayBuffer> } {
    const { ranges } = this.#parts;
    assert(this.#there.size === ranges.length, `gradients: expected ${ranges.length}, found ${this.#there.size}`);
    return { loss: this.#loss, gradient: this.#gradient };
  }
}
