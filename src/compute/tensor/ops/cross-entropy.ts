import { OptionError, ShapeError } from "../../../base/errors.ts";
import { binary, constant, gather, reduce, reshape, unary } from "../../compiler/graph.ts";
import type { Node } from "../../compiler/ir.ts";
import { isFloat } from "../../layout/dtype.ts";
import { formatShape, sameShape } from "../../layout/shape.ts";
import { defineOp } from "../op.ts";
import { checkIndices } from "../index-range.ts";
import { toFloat, toIndices } from "../operands.ts";
import { normalizeAxis, sizeOf, withoutAxes } from "../shapes.ts";
import { iotaTensor } from "../source.ts";
import type { Tensor } from "../tensor.ts";
import { reduceLoss, reduceWeighted } from "./reduce-loss.ts";
import type { LossOptions } from "./reduce-loss.ts";
import { shiftedExponentials } from "./softmax.ts";
import { where } from "./where.ts";

/** Options of losses whose targets are classes. */
export interface ClassLossOptions extends LossOptions {
  /** How much each class counts: [C]. A mean is divided by the sum of the samples' weights. */
  readonly weight?: Tensor | null;
  /** Samples with this target count for nothing: -100 by default. */
  readonly ignoreIndex?: number;
  /** The axis of the classes: 1 (0 for one sample) as in PyTorch if the targets fit that, else the last. */
  readonly axis?: number;
}

/** Options of `crossEntropy`. */
export interface CrossEntropyOptions extends ClassLossOptions {
  /** This share of each target is spread over all classes. */
  readonly labelSmoothing?: number;
}

/**
 * Logits x [N, C] and targets t [N] (int32) -> [N]: log(sum(e^z)) - (1 - s) z[t] - s mean(z), with z = x - max(x)
 * and smoothing s.
 *
 * dL/dx = g * (softmax(x) - (1 - s) onehot(t) - s / C). Keeps nothing but its inputs.
 */
const op = defineOp<[Tensor, Tensor], { smoothing: number }>({
  name: "crossEntropy",
  forward: ([x, targets], { smoothing }) => {
    const rows = sizeOf(x.shape, 0);
    const { shifted, sum } = shiftedExponentials(x, 1);
    const chosen = gather(shifted, reshape(targets, [rows, 1]), 1);
    const loss = binary("subtract", unary("log", sum), scale(chosen, 1 - smoothing));
    const spread = scale(reduce("sum", shifted, [1]), smoothing / sizeOf(x.shape, 1));
    return reshape(smoothing === 0 ? loss : binary("subtract", loss, spread), [rows]);
  },
  backward: ({ grad, inputs: [x, targets], options: { smoothing } }) => {
    const isTarget = iotaTensor(x.shape, 1).eq(targets.unsqueeze(1));
    const rest = smoothing / sizeOf(x.shape, 1);
    const target = isTarget.where(1 - smoothing + rest, rest);
    return [x.softmax(1).sub(target).mul(grad.unsqueeze(1)), null];
  },
});

function scale(x: Node, factor: number): Node {
  return binary("multiply", x, constant(factor, x.shape, x.dtype));
}

/**
 * Cross entropy of logits with class numbers, or with probabilities of their own shape: [N, C, ..] with [N, ..] (or
 * [C] with []) -> [], or the targets' shape without classes for "none". Classes may also be last, [.., C] with [..].
 * With probabilities t: -sum(weight t log softmax(x)) over the classes; the mean is then over the samples.
 * A target outside of [0, C) is refused when it came from the host. @throws ShapeError, OptionError, UnsupportedError
 */
export function crossEntropy(logits: Tensor, targets: Tensor, options: CrossEntropyOptions = {}): Tensor {
  const { reduction = "mean", weight = null, labelSmoothing = 0 } = options;
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
    throw new OptionError(`crossEntropy: expected labelSmoothing from 0 to 1, found ${labelSmoothing}`);
  }
  if (isFloat(targets.dtype)) return ofProbabilities(logits, targets, options);
  const { rows, classes, flat, counts } = samplesOf("crossEntropy", logits, targets, options);
  if (weight === null) {
    const each = where(counts, op([rows, flat], { smoothing: labelSmoothing }), 0).reshape(targets.shape);
    return reduceWeighted("crossEntropy", each, counts, reduction);
  }
  const logs = rows.logSoftmax(1);
  const weights = where(counts, weight.indexSelect(0, flat), 0);
  const chosen = chosenOf(logs, flat).mul(weights);
  const spread = where(counts, logs.mul(weight).sum(1), 0);
  const each = chosen.mul(1 - labelSmoothing).add(spread.mul(labelSmoothing / classes)).neg(); // prettier-ignore
  return reduceWeighted("crossEntropy", each.reshape(targets.shape), weights, reduction);
}

/**
 * -weight[t] x[t] of log-probabilities x and class numbers t: [N, C, ..] with [N, ..] (or [C] with []) -> [], or the
 * targets' shape for "none". Classes may also be last. A target outside of [0, C) is refused when it came from the
 * host, and clamped when it was computed on a device.
 * @throws ShapeError, OptionError, UnsupportedError
 */
export function nllLoss(x: Tensor, targets: Tensor, options: ClassLossOptions = {}): Tensor {
  const { reduction = "mean", weight = null } = options;
  const { rows, flat, counts } = samplesOf("nllLoss", x, targets, options);
  const weights = weight === null ? counts.cast(rows.dtype) : where(counts, weight.indexSelect(0, flat), 0);
  const each = chosenOf(rows, flat).mul(weights).neg().reshape(targets.shape);
  return reduceWeighted("nllLoss", each, weights, reduction);
}

/** x[r, targets[r]] of each row: [R]. */
function chosenOf(rows: Tensor, targets: Tensor): Tensor {
  return rows.gather(1, targets.unsqueeze(1)).squeeze(1);
}

function ofProbabilities(logits: Tensor, targets: Tensor, options: CrossEntropyOptions): Tensor {
  const { reduction = "mean", weight = null, labelSmoothing = 0 } = options;
  if (!sameShape(logits.shape, targets.shape) || logits.shape.length === 0) {
    throw new ShapeError(
      `crossEntropy: expected int32 classes, or probabilities in the logits' shape ${formatShape(logits.shape)}, found ${targets.dtype} ${formatShape(targets.shape)}`,
    );
  }
  const rank = logits.shape.length;
  const axis = normalizeAxis("crossEntropy", options.axis ?? Math.min(1, rank - 1), rank);
  const classes = sizeOf(logits.shape, axis);
  checkWeight("crossEntropy", weight, classes);
  const smooth = targets.mul(1 - labelSmoothing).add(labelSmoothing / classes);
  const terms = logits.logSoftmax(axis).mul(smooth);
  const alongAxis = logits.shape.map((_, i) => (i === axis ? classes : 1));
  const each = (weight === null ? terms : terms.mul(weight.reshape(alongAxis))).sum(axis).neg();
  return reduceLoss("crossEntropy", each, reduction);
}

interface Samples {
  /** [R, C] */
  readonly rows: Tensor;
  readonly classes: number;
  /** [R], int32; 0 where they are ignored. */
  readonly flat: Tensor;
  /** [R], bool: those that are not ignored. */
  readonly counts: Tensor;
}

/** Classes last, and all other axes as one. */
function samplesOf(operation: string, x: Tensor, targets: Tensor, options: ClassLossOptions): Samples {
  const rank = x.shape.length;
  const fits = (axis: number): boolean => rank > 0 && sameShape(withoutAxes(x.shape, [axis]), targets.shape);
  const usual = fits(Math.min(1, rank - 1)) ? Math.min(1, rank - 1) : rank - 1;
  const axis = options.axis === undefined ? usual : normalizeAxis(operation, options.axis, rank);
  if (!fits(axis)) {
    throw new ShapeError(
      `${operation}: expected [N, C, ..] and targets [N, ..], found ${formatShape(x.shape)} and ${formatShape(targets.shape)}`,
    );
  }
  const classes = sizeOf(x.shape, axis);
  checkWeight(operation, options.weight ?? null, classes);
  const order = [...withoutAxes(x.shape.map((_, i) => i), [axis]), axis]; // prettier-ignore
  const ignoreIndex = options.ignoreIndex ?? -100;
  checkIndices(operation, targets, classes, { ignoreIndex });
  const flat = toIndices(operation, targets).reshape([targets.size]);
  const counts = flat.ne(ignoreIndex);
  const rows = toFloat(x).permute(order).reshape([targets.size, classes]);
  return { rows, classes, flat: where(counts, flat, 0), counts };
}

function checkWeight(operation: string, weight: Tensor | null, classes: number): void {
  if (weight === null || sameShape(weight.shape, [classes])) return;
  throw new ShapeError(
    `${operation}: expected a weight for each of ${classes} classes, found ${formatShape(weight.shape)}`,
  );
}
