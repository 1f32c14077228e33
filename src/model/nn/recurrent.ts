/**
 * Recurrent layers: RNN, GRU and LSTM, with PyTorch's names of parameters.
 *
 * The loop over time is unrolled in the graph: with the gradient, a step of an LSTM makes about 16 kernels for each
 * layer and direction. Products of all inputs are one contraction before it; a step's is [N, H] by [H, gates * H], and
 * steps wait for one another. Kernels of all steps are alike and compiled once, but for two small copies a step.
 */
import { present } from "../../base/assert.ts";
import { OptionError, ShapeError } from "../../base/errors.ts";
import { formatShape, sameShape } from "../../compute/layout/shape.ts";
import { zeros } from "../../compute/tensor/create.ts";
import { Generator } from "../../compute/tensor/generator.ts";
import { stored } from "../../compute/tensor/ops/barrier.ts";
import { cat, stack } from "../../compute/tensor/ops/cat.ts";
import { dropout } from "../../compute/tensor/ops/dropout.ts";
import { linear } from "../../compute/tensor/ops/linear.ts";
import type { Tensor } from "../../compute/tensor/tensor.ts";
import { nextRandom, uniformValues } from "./init.ts";
import { Module } from "./module.ts";
import { Parameter } from "./parameter.ts";
import { gruStep, lstmStep, rnnStep } from "./recurrent-steps.ts";
import type { RecurrentState, RecurrentStep } from "./recurrent-steps.ts";

/** Options of `RNN`, `GRU` and `LSTM`. */
export interface RecurrentOptions {
  /** Layers one on another: 1 by default. */
  readonly numLayers?: number;
  /** On by default. */
  readonly bias?: boolean;
  /** Inputs and outputs are [N, T, ..] instead of [T, N, ..]; states are [.., N, ..] all the same. */
  readonly batchFirst?: boolean;
  /** The share of each layer's outputs, but the last one's, that is dropped while training: 0 by default. */
  readonly dropout?: number;
  /** A second recurrence backwards in time; outputs are one after another along the last axis. */
  readonly bidirectional?: boolean;
}

/** Options of `RNN`; tanh by default. */
export interface RNNOptions extends RecurrentOptions {
  readonly nonlinearity?: "tanh" | "relu";
}

/** Options of `LSTM`. */
export interface LSTMOptions extends RecurrentOptions {
  /** Outputs are projected to so many features (Sak et al., 2014); 0, the default, for none. */
  readonly projSize?: number;
}

/** By name, and in PyTorch's order. L is numLayers, twice that if bidirectional; without N where the input has none. */
export type RecurrentResult = readonly [output: Tensor, hidden: Tensor] & {
  /** [T, N, H], or [N, T, H], of the last layer; [.., 2 H] if bidirectional. */
  readonly output: Tensor;
  /** `[L, N, H]`: the last states, layer by layer, forwards and then backwards. */
  readonly hidden: Tensor;
};

/** By name, and as PyTorch's `[output, [hidden, cell]]`. */
export type LSTMResult = readonly [output: Tensor, state: readonly [hidden: Tensor, cell: Tensor]] & {
  /** [T, N, H], or [N, T, H], of the last layer; [.., 2 H] if bidirectional. */
  readonly output: Tensor;
  /** [L, N, H] */
  readonly hidden: Tensor;
  /** [L, N, hiddenSize] */
  readonly cell: Tensor;
};

/** What a recurrence leaves behind. */
interface Outcome {
  readonly output: Tensor;
  readonly hidden: Tensor;
  readonly cell: Tensor;
}

/** Where an LSTM starts: zeros for what is left out. */
export interface LSTMInitial {
  /** [L, N, H] */
  readonly hidden?: Tensor;
  /** [L, N, hiddenSize] */
  readonly cell?: Tensor;
}

interface Kind {
  readonly name: string;
  readonly gates: number;
  readonly hasCell: boolean;
  readonly step: RecurrentStep;
}

/** One layer in one direction: its parameters' names end alike. */
interface Way {
  readonly suffix: string;
  readonly isReverse: boolean;
}

abstract class Recurrent extends Module {
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly numLayers: number;
  readonly batchFirst: boolean;
  readonly bidirectional: boolean;
  readonly dropout: number;
  readonly projSize: number;
  readonly generator: Generator | null;
  readonly #kind: Kind;

  constructor(kind: Kind, inputSize: number, hiddenSize: number, options: LSTMOptions) {
    super();
    const { numLayers = 1, bias = true, batchFirst = false, bidirectional = false, projSize = 0 } = options;
    for (const [what, count] of [["inputSize", inputSize], ["hiddenSize", hiddenSize], ["numLayers", numLayers]] as const) checkCount(kind.name, what, count); // prettier-ignore
    if (!Number.isInteger(projSize) || projSize < 0 || projSize >= hiddenSize) {
      throw new OptionError(`${kind.name}: expected projSize below hiddenSize ${hiddenSize}, found ${projSize}`);
    }
    this.inputSize = inputSize;
    this.hiddenSize = hiddenSize;
    this.numLayers = numLayers;
    this.batchFirst = batchFirst;
    this.bidirectional = bidirectional;
    this.dropout = options.dropout ?? 0;
    this.projSize = projSize;
    this.generator = this.dropout > 0 ? new Generator(nextRandom()) : null;
    this.#kind = kind;
    for (let layer = 0; layer < numLayers; layer++) {
      for (const { suffix } of this.#ways(layer)) this.#register(suffix, layer, bias);
    }
  }

  /** Of the outputs in one direction. */
  get #width(): number {
    return this.projSize > 0 ? this.projSize : this.hiddenSize;
  }

  #ways(layer: number): Way[] {
    const ways = [{ suffix: `l${layer}`, isReverse: false }];
    return this.bidirectional ? [...ways, { suffix: `l${layer}_reverse`, isReverse: true }] : ways;
  }

  #register(suffix: string, layer: number, bias: boolean): void {
    const { gates } = this.#kind;
    const rows = gates * this.hiddenSize;
    const inputs = layer === 0 ? this.inputSize : this.#width * (this.bidirectional ? 2 : 1);
    const bound = 1 / Math.sqrt(this.hiddenSize);
    const add = (what: string, shape: readonly number[]): void =>
      this.registerParameter(`${what}_${suffix}`, new Parameter(uniformValues(shape, bound)));
    add("weight_ih", [rows, inputs]);
    add("weight_hh", [rows, this.#width]);
    if (bias) {
      add("bias_ih", [rows]);
      add("bias_hh", [rows]);
    }
    if (this.projSize > 0) add("weight_hr", [this.projSize, this.hiddenSize]);
  }

  /**
   * All layers; states are [L, N, ..].
   * @internal
   */
  protected run(x: Tensor, initial: LSTMInitial): Outcome {
    const rank = x.shape.length;
    const { name } = this.#kind;
    if ((rank !== 2 && rank !== 3) || x.shape.at(-1) !== this.inputSize) {
      const form = this.batchFirst ? "[N, T, " : "[T, N, ";
      throw new ShapeError(
        `${name}: expected ${form}${this.inputSize}] or [T, ${this.inputSize}], found ${formatShape(x.shape)}`,
      );
    }
    if (x.shape[this.batchFirst && rank === 3 ? 1 : 0] === 0) {
      throw new ShapeError(`${name}: expected at least one step, found ${formatShape(x.shape)}`);
    }
    const isBatchFirst = this.batchFirst && rank === 3;
    let steps = rank === 2 ? x.unsqueeze(1) : isBatchFirst ? x.transpose(0, 1) : x;
    const starts = this.#starts(initial, rank, steps.shape[1] ?? 0);
    const ends: RecurrentState[] = [];
    for (let layer = 0; layer < this.numLayers; layer++) {
      const input = layer === 0 ? steps : this.#drop(steps);
      const outputs = this.#ways(layer).map((way) => {
        const { output, end } = this.#unrolled(input, way, present(starts[ends.length], "a start"));
        ends.push(end);
        return output;
      });
      steps = cat(outputs, 2);
    }
    const joined = (states: readonly Tensor[]): Tensor => (rank === 2 ? stack(states, 0).squeeze(1) : stack(states, 0));
    return {
      output: rank === 2 ? steps.squeeze(1) : isBatchFirst ? steps.transpose(0, 1) : steps,
      hidden: joined(ends.map(({ hidden }) => hidden)),
      cell: joined(ends.map(({ hidden, cell }) => cell ?? hidden)),
    };
  }

  #drop(x: Tensor): Tensor {
    if (this.generator === null || !this.training) return x;
    return dropout(x, { p: this.dropout, training: true, generator: this.generator });
  }

  /** For each layer and direction. */
  #starts({ hidden, cell }: LSTMInitial, rank: number, batch: number): RecurrentState[] {
    const count = this.numLayers * (this.bidirectional ? 2 : 1);
    const states = (given: Tensor | undefined, width: number): readonly Tensor[] => {
      if (given === undefined) return Array.from({ length: count }, () => zeros([batch, width]));
      const shape = rank === 2 ? [count, width] : [count, batch, width];
      if (!sameShape(given.shape, shape)) {
        throw new ShapeError(
          `${this.#kind.name}: expected a state of ${formatShape(shape)}, found ${formatShape(given.shape)}`,
        );
      }
      const whole = given.reshape([count, batch, width]);
      return Array.from({ length: count }, (_, i) => whole.select(0, i));
    };
    const hiddens = states(hidden, this.#width);
    const cells = this.#kind.hasCell ? states(cell, this.hiddenSize) : [];
    return hiddens.map((h, i) => ({ hidden: h, ...(cells[i] && { cell: cells[i] }) }));
  }

  /** x [T, N, ..] -> [T, N, H]. */
  #unrolled(x: Tensor, { suffix, isReverse }: Way, start: RecurrentState): { output: Tensor; end: RecurrentState } {
    const parameters = this as unknown as Readonly<Record<string, Parameter | undefined>>;
    const get = (what: string): Parameter | null => parameters[`${what}_${suffix}`] ?? null;
    const [inputWeight, stateWeight] = [present(get("weight_ih"), "weight_ih"), present(get("weight_hh"), "weight_hh")];
    const projection = get("weight_hr");
    const products = linear(x, inputWeight, get("bias_ih"));
    const count = x.shape[0] ?? 0;
    const outputs: Tensor[] = [];
    let state = start;
    for (let step = 0; step < count; step++) {
      const at = isReverse ? count - 1 - step : step;
      const product = linear(state.hidden, stateWeight, get("bias_hh"));
      const next = this.#kind.step(stored(products.select(0, at)), product, state);
      state = projection === null ? next : { ...next, hidden: linear(next.hidden, projection) };
      outputs.push(stored(state.hidden));
    }
    return { output: stack(isReverse ? outputs.reverse() : outputs, 0), end: state };
  }
}

function checkCount(operation: string, what: string, count: number): void {
  if (!Number.isInteger(count) || count < 1) {
    throw new OptionError(`${operation}: expected ${what} from 1, found ${count}`);
  }
}

/** h' = tanh(x W_ih^T + b_ih + h W_hh^T + b_hh), or relu: [T, N, inputSize] -> outputs [T, N, hiddenSize]. */
export class RNN extends Recurrent {
  /** @throws OptionError */
  constructor(inputSize: number, hiddenSize: number, { nonlinearity = "tanh", ...options }: RNNOptions = {}) {
    checkNonlinearity("RNN", nonlinearity);
    super({ name: "RNN", gates: 1, hasCell: false, step: rnnStep(nonlinearity) }, inputSize, hiddenSize, options);
  }

  /** x [T, N, in], [N, T, in] or [T, in]; `hidden` [L, N, H], zeros without it. @throws ShapeError */
  forward(x: Tensor, hidden?: Tensor): RecurrentResult {
    return resultOf(this.run(x, hidden ? { hidden } : {}));
  }
}

/** Gated recurrent units: [T, N, inputSize] -> outputs [T, N, hiddenSize]. Rows of the weights are r, z and n. */
export class GRU extends Recurrent {
  /** @throws OptionError */
  constructor(inputSize: number, hiddenSize: number, options: RecurrentOptions = {}) {
    super({ name: "GRU", gates: 3, hasCell: false, step: gruStep }, inputSize, hiddenSize, options);
  }

  /** x [T, N, in], [N, T, in] or [T, in]; `hidden` [L, N, H], zeros without it. @throws ShapeError */
  forward(x: Tensor, hidden?: Tensor): RecurrentResult {
    return resultOf(this.run(x, hidden ? { hidden } : {}));
  }
}

/** Long short-term memory: [T, N, inputSize] -> outputs [T, N, H]. Rows of the weights are i, f, g and o. */
export class LSTM extends Recurrent {
  /** @throws OptionError */
  constructor(inputSize: number, hiddenSize: number, options: LSTMOptions = {}) {
    super({ name: "LSTM", gates: 4, hasCell: true, step: lstmStep }, inputSize, hiddenSize, options);
  }

  /** x [T, N, in], [N, T, in] or [T, in]; `initial` by name or as `[hidden, cell]`. @throws ShapeError */
  forward(x: Tensor, initial: LSTMInitial | readonly [hidden: Tensor, cell: Tensor] = {}): LSTMResult {
    // An earlier result is both: a list of other things, with the states by name.
    const isPair = Array.isArray(initial) && !("hidden" in initial);
    const start = isPair ? { hidden: initial[0] as Tensor, cell: initial[1] as Tensor } : (initial as LSTMInitial);
    const { output, hidden, cell } = this.run(x, start);
    return Object.assign([output, [hidden, cell]] as const, { output, hidden, cell });
  }
}

function resultOf({ output, hidden }: Outcome): RecurrentResult {
  return Object.assign([output, hidden] as const, { output, hidden });
}

/** @throws OptionError */
export function checkNonlinearity(operation: string, nonlinearity: string): void {
  if (nonlinearity === "tanh" || nonlinearity === "relu") return;
  throw new OptionError(`${operation}: expected the nonlinearity tanh or relu, found ${nonlinearity}`);
}
