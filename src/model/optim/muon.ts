import { present } from "../../base/assert.ts";
import { OptionError } from "../../base/errors.ts";
import { stack } from "../../compute/tensor/ops/cat.ts";
import { Tensor } from "../../compute/tensor/tensor.ts";
import { formatShape } from "../../compute/layout/shape.ts";
import { Optimizer } from "./optimizer.ts";
import type { GroupInput, ParametersOf, UpdateInput } from "./optimizer.ts";
import type { GroupOptions, RuleOptions } from "./param-group.ts";
import { adamwUpdate } from "./rules/adam-rule.ts";
import { muonUpdate } from "./rules/muon-rule.ts";
import { biasCorrection } from "./rules/rule.ts";
import { stateTensor } from "./state-tensor.ts";

/** Options of a group of `Muon`. */
export interface MuonOptions extends GroupOptions {
  /** False for groups that AdamW updates: embeddings, heads, biases and norms. */
  readonly useMuon: boolean;
  readonly momentum: number;
  readonly nesterov: boolean;
  /** Iterations of the orthogonalisation. */
  readonly nsSteps: number;
  readonly nsCoefficients: readonly [number, number, number];
  /** Times lr and the parameter, taken from it. */
  readonly weightDecay: number;
  /** Of AdamW. */
  readonly betas: readonly [number, number];
  readonly eps: number;
}

/** Options of `Muon`. */
export interface MuonClassOptions extends Partial<MuonOptions> {
  /** The learning rate of AdamW, for parameters that are no matrices, when no groups say which is which. */
  readonly adamwLr?: number;
}

/** What `Muon` keeps for a parameter: a momentum for matrices, two moments for the rest. */
export interface MuonStates {
  readonly momentumBuffer: Tensor | null;
  readonly expAvg: Tensor | null;
  readonly expAvgSq: Tensor | null;
}

const DEFAULTS: MuonOptions = {
  lr: 0.02,
  useMuon: true,
  momentum: 0.95,
  nesterov: true,
  nsSteps: 5,
  nsCoefficients: [3.4445, -4.775, 2.0315],
  weightDecay: 0,
  betas: [0.9, 0.95],
  eps: 1e-10,
  maximize: false,
};
const ADAMW_LR = 3e-4;

/**
 * Muon for matrices, AdamW for the rest (Jordan et al., 2024). Of plain parameters, those with two axes or more are
 * matrices; groups say it by `useMuon`, as embeddings and output heads, which are no hidden layers, want AdamW. Keeps
 * one tensor a matrix, two for each of the rest. Costs 15 products of matrices a matrix and step.
 */
export class Muon extends Optimizer<MuonOptions, MuonStates> {
  /** @throws OptionError */
  constructor(parameters: ParametersOf<MuonOptions>, { adamwLr = ADAMW_LR, ...options }: MuonClassOptions = {}) {
    super("Muon", grouped(parameters, adamwLr), options, DEFAULTS);
  }

  protected override initialState({ shape }: Tensor, { useMuon }: MuonOptions): MuonStates {
    if (useMuon && shape.length < 2) {
      throw new OptionError(
        `Muon: expected matrices where useMuon is not false, found a parameter ${formatShape(shape)}`,
      );
    }
    const make = (isKept: boolean): Tensor | null => (isKept ? stateTensor(shape) : null);
    return { momentumBuffer: make(useMuon), expAvg: make(!useMuon), expAvgSq: make(!useMuon) };
  }

  protected override perStep(steps: Tensor, { useMuon, betas }: RuleOptions<MuonOptions>): Record<string, Tensor> {
    if (useMuon) return {};
    return { corrections: stack([biasCorrection(steps, betas[0]), biasCorrection(steps, betas[1])], 1) };
  }

  protected override update(input: UpdateInput<MuonOptions, MuonStates>): MuonStates & { readonly parameter: Tensor } {
    const { parameter, gradient, state, options, factors } = input;
    const { momentumBuffer, expAvg, expAvgSq } = state;
    const { lr } = options;
    if (momentumBuffer !== null) {
      return { ...state, ...muonUpdate({ parameter, gradient, lr, momentumBuffer }, options) };
    }
    const moments = { expAvg: present(expAvg, "Muon: expAvg"), expAvgSq: present(expAvgSq, "Muon: expAvgSq") };
    const corrections = present(factors["corrections"], "Muon: the corrections");
    const next = adamwUpdate({ parameter, gradient, lr, corrections, ...moments }, options);
    return { momentumBuffer, expAvg: next.expAvg, expAvgSq: next.expAvgSq, parameter: next.parameter };
  }
}

function grouped(parameters: ParametersOf<MuonOptions>, adamwLr: number): ParametersOf<MuonOptions> {
  const list: (Tensor | GroupInput<MuonOptions>)[] = [...parameters];
  const tensors = list.filter((item) => item instanceof Tensor);
  if (tensors.length === 0 || tensors.length < list.length) return parameters;
  const matrices = tensors.filter(({ shape }) => shape.length >= 2);
  const rest = tensors.filter(({ shape }) => shape.length < 2);
  return [{ params: matrices }, { params: rest, useMuon: false, lr: adamwLr }].filter(
    ({ params }) => params.length > 0,
  );
}
