/** What a user writes to define a run: model, loss, data, optimizer. The same for one tab and for forty. */
import type { Bytes } from "../base/bytes.ts";
import type { Random } from "../base/random.ts";
import type { Tensor } from "../compute/tensor/tensor.ts";
import type { HostArray } from "../compute/runtime/runtime.ts";
import type { Module } from "../model/nn/module.ts";

/** A tensor's worth of host values. */
export interface HostTensor {
  readonly shape: readonly number[];
  readonly data: HostArray;
}

/** Samples, drawn by random numbers alone: the same ones wherever and however often a slot is computed. */
export interface Dataset {
  /** `size` samples, along axis 0 of x and of y. Shapes are the same for every call with the same size. */
  batch(random: Random, size: number): { readonly x: HostTensor; readonly y: HostTensor };
}

/** Elementwise updates that an owner can do on its shards alone. Options are PyTorch's. */
export type OptimizerSpec =
  | {
      readonly kind: "adamw";
      readonly lr: number;
      readonly betas?: readonly [number, number];
      readonly eps?: number;
      readonly weightDecay?: number;
    }
  | { readonly kind: "sgd"; readonly lr: number; readonly momentum?: number; readonly weightDecay?: number };

/** What a room was made with, by name. */
export type Settings = Readonly<Record<string, string>>;

/** What a run trains and how. */
export interface RunDefinition<D extends Dataset = Dataset, M extends Module = Module> {
  /** Short and stable: part of URLs and of `npm run swarm -- --run NAME`. */
  readonly name: string;
  /** For people: a title, and one sentence. */
  readonly title: string;
  readonly description: string;
  /** Samples in a step, over all members. */
  readonly globalBatch: number;
  /** Parts that the batch is cut into; divides `globalBatch`. */
  readonly slots: number;
  /** Optimizer updates that make a good demo. */
  readonly steps: number;
  /**
   * The dataset, from a file that somebody dropped, or the run's own when `bytes` is null. Must be a function of its
   * inputs alone. @throws OptionError with one clear sentence when the file will not do
   */
  readonly data: {
    /** For the file picker; empty when the run takes no file. */
    readonly accept: string;
    /** From the bytes of a file, or null for the run's own data. @throws OptionError */
    load(bytes: Bytes | null, settings: Settings): Promise<D> | D;
  };
  /** A fresh model, its parameters drawn from `random`. */
  model(context: { dataset: D; settings: Settings; random: Random }): M;
  /**
   * Mean loss over the batch: a scalar. A device that lacks memory calls it for parts of the batch, so samples must not
   * influence each other; a model with a batch norm is given the batch as a whole.
   */
  loss(model: M, batch: { x: Tensor; y: Tensor }): Tensor;
  /** The update rule and its options. */
  optimizer(settings: Settings): OptimizerSpec;
  /**
   * How gradients are packed for the wire: `float16` (2 bytes a parameter), `int8` (1.06), `int4` (0.56), `topk` (the
   * largest 2 %, 0.16) or `powersgd` (factors of rank 4: 32 sqrt(n) bytes of n parameters that go to one owner); `none`,
   * as they are, if left out. Sums are float32 whatever it is, and all members have the same
   * bits; but with a codec they depend on who computes what. Another name is an OptionError when the run begins.
   */
  gradientCodec?(settings: Settings): string | undefined;
  /** Something for people to read that grows better as the model learns. */
  sample?(model: M, dataset: D, random: Random): Promise<string>;
}
