/** Single steps of recurrences, for loops of one's own: PyTorch's names of parameters. */
import { OptionError, ShapeError } from "../../base/errors.ts";
import { formatShape, sameShape } from "../../compute/layout/shape.ts";
import { zeros } from "../../compute/tensor/create.ts";
import { linear } from "../../compute/tensor/ops/linear.ts";
import type { Tensor } from "../../compute/tensor/tensor.ts";
import { uniformValues } from "./init.ts";
import { Module } from "./module.ts";
import { Parameter } from "./parameter.ts";
import { checkNonlinearity } from "./recurrent.ts";
import { gruStep, lstmStep, rnnStep } from "./recurrent-steps.ts";
import type { RecurrentState, RecurrentStep } from "./recurrent-steps.ts";

/** Options of recurrent cells. */
export interface CellOptions {
  /** On by default. */
  readonly bias?: boolean;
}

abstract class RecurrentCell extends Module {
  readonly weight_ih: Parameter;
  readonly weight_hh: Parameter;
  readonly bias_ih: Parameter | null;
  readonly bias_hh: Parameter | null;
  readonly inputSize: number;
  readonly hiddenSize: number;

  constructor(gates: number, inputSize: number, hiddenSize: number, { bias = true }: CellOptions) {
    super();
    if (!(Number.isInteger(inputSize) && Number.isInteger(hiddenSize) && inputSize > 0 && hiddenSize > 0)) {
      throw new OptionError(`${this.constructor.name}: expected sizes from 1, found ${inputSize} and ${hiddenSize}`);
    }
    const draw = (shape: readonly number[]): Parameter =>
      new Parameter(uniformValues(shape, 1 / Math.sqrt(hiddenSize)));
    const rows = gates * hiddenSize;
    this.weight_ih = draw([rows, inputSize]);
    this.weight_hh = draw([rows, hiddenSize]);
    this.bias_ih = bias ? draw([rows]) : null;
    this.bias_hh = bias ? draw([rows]) : null;
    this.inputSize = inputSize;
    this.hiddenSize = hiddenSize;
  }

  /**
   * x [N, in] or [in]; states [N, hiddenSize] or [hiddenSize], zeros for those left out.
   * @internal
   */
  protected advance(step: RecurrentStep, x: Tensor, hidden?: Tensor, cell?: Tensor): RecurrentState {
    const rank = x.shape.length;
    if ((rank !== 1 && rank !== 2) || x.shape[rank - 1] !== this.inputSize) {
      throw new ShapeError(
        `${this.constructor.name}: expected [N, ${this.inputSize}] or [${this.inputSize}], found ${formatShape(x.shape)}`,
      );
    }
    const shape = [...x.shape.slice(0, -1), this.hiddenSize];
    const [h, c] = [hidden ?? zeros(shape), cell ?? zeros(shape)];
    for (const state of [h, c]) {
      if (sameShape(state.shape, shape)) continue;
      throw new ShapeError(
        `${this.constructor.name}: expected a state of ${formatShape(shape)}, found ${formatShape(state.shape)}`,
      );
    }
    const input = linear(x, this.weight_ih, this.bias_ih);
    return step(input, linear(h, this.weight_hh, this.bias_hh), { hidden: h, cell: c });
  }
}

/** Options of `RNNCell`; tanh by default. */
export interface RNNCellOptions extends CellOptions {
  readonly nonlinearity?: "tanh" | "relu";
}

/** A step of RNN: [N, inputSize] and [N, hiddenSize] -> [N, hiddenSize]; N may be missing. */
export class RNNCell extends RecurrentCell {
  readonly nonlinearity: "tanh" | "relu";

  /** @throws OptionError */
  constructor(inputSize: number, hiddenSize: number, { nonlinearity = "tanh", ...options }: RNNCellOptions = {}) {
    checkNonlinearity("RNNCell", nonlinearity);
    super(1, inputSize, hiddenSize, options);
    this.nonlinearity = nonlinearity;
  }

  /** @throws ShapeError */
  forward(x: Tensor, hidden?: Tensor): Tensor {
    return this.advance(rnnStep(this.nonlinearity), x, hidden).hidden;
  }
}

/** A step of GRU: [N, inputSize] and [N, hiddenSize] -> [N, hiddenSize]; N may be missing. */
export class GRUCell extends RecurrentCell {
  /** @throws OptionError */
  constructor(inputSize: number, hiddenSize: number, options: CellOptions = {}) {
    super(3, inputSize, hiddenSize, options);
  }

  /** @throws ShapeError */
  forward(x: Tensor, hidden?: Tensor): Tensor {
    return this.advance(gruStep, x, hidden).hidden;
  }
}

/** The states of an LSTMCell, each [N, hiddenSize]. */
export interface LSTMCellState {
  readonly hidden: Tensor;
  readonly cell: Tensor;
}

/** A step of LSTM: [N, inputSize] and two states [N, hiddenSize] -> two such states; N may be missing. */
export class LSTMCell extends RecurrentCell {
  /** @throws OptionError */
  constructor(inputSize: number, hiddenSize: number, options: CellOptions = {}) {
    super(4, inputSize, hiddenSize, options);
  }

  /** @throws ShapeError */
  forward(x: Tensor, { hidden, cell }: Partial<LSTMCellState> = {}): LSTMCellState {
    const next = this.advance(lstmStep, x, hidden, cell);
    return { hidden: next.hidden, cell: next.cell ?? next.hidden };
  }
}
