import { OptionError, ShapeError } from "../../../base/errors.ts";
import { binary, constant, gather, reduce, reshape, unary } from "../../compiler/graph.ts";
import type { Node } from "../../compiler/ir.ts";
import { iotaTensor } from "../source.ts";
import { defineWideOp } from "../wide-op.ts";
import { toFloat, toIndices } from "../operands.ts";
import { formatShape, sameShape } from "../../layout/shape.ts";
import { sizeOf } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import { shiftedExponentials } from "./softmax.ts";

/** What becomes of the losses of the samples. */
export type Reduction = "mean" | "sum" | "none";

export interface CrossEntropyOptions {
  readonly reduction?: Reduction;
  /** Samples with this target count for nothing. */
  readonly ignoreIndex?: number;
  /** This share of each target is spread over all classes. */
  readonly labelSmoothing?: number;
}

/**
 * Logits x [N, V] and targets t [N] (int32) -> [N]: log(sum(e^z)) - (1 - s) z[t] - s mean(z), with z = x - max(x)
 * and smoothing s.
 *
 * dL/dx = g * (softmax(x) - (1 - s) onehot(t) - s / V). Keeps nothing but its inputs.
 */
const op = defineWideOp<[Tensor, Tensor], { smoothing: number }>({
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
 * Cross entropy of logits [N, V] with class numbers [N], or of [V] with []; more leading axes are more samples.
 * A target outside of [0, V) is not noticed. @throws ShapeError, OptionError
 */
export function crossEntropy(
  logits: Tensor,
  targets: Tensor,
  { reduction = "mean", ignoreIndex = -100, labelSmoothing = 0 }: CrossEntropyOptions = {},
): Tensor {
  const rank = logits.shape.length;
  if (rank === 0 || !sameShape(logits.shape.slice(0, -1), targets.shape)) {
    throw new ShapeError(
      `crossEntropy: expected logits [.., V] and targets [..], found ${formatShape(logits.shape)} and ${formatShape(targets.shape)}`,
    );
  }
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
    throw new OptionError(`crossEntropy: expected labelSmoothing from 0 to 1, found ${labelSmoothing}`);
  }
  const classes = sizeOf(logits.shape, rank - 1);
  const rows = toFloat(logits).reshape([-1, classes]);
  const flat = toIndices("crossEntropy", targets).reshape([-1]);
  const counts = flat.ne(ignoreIndex);
  const each = counts.where(op([rows, flat], { smoothing: labelSmoothing }), 0);
  switch (reduction) {
    case "none":
      return each.reshape(targets.shape);
    case "sum":
      return each.sum();
    case "mean":
      return each.sum().div(counts.sum());
    default:
      reduction satisfies never;
      throw new OptionError(`crossEntropy: expected a reduction of mean, sum or none, found ${String(reduction)}`);
  }
}
