/**
 * Muon: momentum, orthogonalised (Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024).
 *
 * Not elementwise: a rule for whole matrices, not for shards.
 */
import type { Operand } from "../../../compute/tensor/operands.ts";
import type { Tensor } from "../../../compute/tensor/tensor.ts";
import { averaged, shrunk } from "./rule.ts";
import type { Decay, RuleInput } from "./rule.ts";

export interface MuonRuleOptions {
  readonly momentum: Decay;
  readonly nesterov: boolean;
  readonly weightDecay: Operand;
  /** Newton-Schulz iterations. */
  readonly nsSteps: number;
  /** a, b and c in a X + b X X^T X + c (X X^T)^2 X. */
  readonly nsCoefficients: readonly [number, number, number];
  readonly eps: number;
}

export interface MuonState {
  readonly momentumBuffer: Tensor;
}

/**
 * b' = momentum b + (1 - momentum) g; d = b', or momentum b' + (1 - momentum) g if nesterov; O = orthogonalised d;
 * p' = p - lr decay p - lr sqrt(max(1, rows / columns)) O. Axes after the first count as one, so that a
 * convolution's weight is a matrix [out, in kh kw].
 */
export function muonUpdate(
  { parameter, gradient, lr, momentumBuffer: before }: RuleInput & MuonState,
  { momentum, nesterov, weightDecay, ...options }: MuonRuleOptions,
): MuonState & { readonly parameter: Tensor } {
  const momentumBuffer = averaged(before, gradient, momentum);
  const direction = nesterov ? averaged(momentumBuffer, gradient, momentum) : momentumBuffer;
  const matrix = direction.flatten(1);
  const [rows = 1, columns = 1] = matrix.shape;
  const scale = Math.sqrt(Math.max(1, rows / Math.max(1, columns)));
  const step = orthogonalized(matrix, options).mul(scale).reshape(parameter.shape);
  return { parameter: shrunk(parameter, lr, weightDecay).sub(step.mul(lr)), momentumBuffer };
}

/**
 * About U V^T of the singular value decomposition U S V^T of `matrix` [rows, columns]: singular values end between
 * 0.7 and 1.2, by a quintic Newton-Schulz iteration on the matrix over its Frobenius norm.
 */
function orthogonalized(
  matrix: Tensor,
  { nsSteps, nsCoefficients: [a, b, c], eps }: Pick<MuonRuleOptions, "nsSteps" | "nsCoefficients" | "eps">,
): Tensor {
  const [rows = 1, columns = 1] = matrix.shape;
  const isTall = rows > columns;
  const wide = isTall ? matrix.transpose(0, 1) : matrix;
  let x = wide.div(wide.square().sum().sqrt().maximum(eps));
  for (let step = 0; step < nsSteps; step++) {
    const gram = x.matmul(x.transpose(0, 1));
    x = x.mul(a).add(gram.mul(b).add(gram.matmul(gram).mul(c)).matmul(x));
  }
  return isTall ? x.transpose(0, 1) : x;
}
