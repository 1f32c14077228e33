/** Bounding gradients before a step. Nothing is read back: both work inside compiled functions. */
import { OptionError } from "../../base/errors.ts";
import { zeros } from "../../compute/tensor/create.ts";
import { noGrad } from "../../compute/tensor/grad-mode.ts";
import { Tensor } from "../../compute/tensor/tensor.ts";

/** Options of `clipGradNorm`. */
export interface ClipGradNormOptions {
  /** 2 by default; Infinity for the largest element. */
  readonly normType?: number;
}

/** Added to the norm that is divided by, as in PyTorch. */
const NORM_EPS = 1e-6;

/**
 * Scales all gradients by min(1, maxNorm / (norm + 1e-6)), where norm is that of all of them as one vector. Returns
 * the norm before, of shape []; 0 when there are no gradients. @throws OptionError
 */
export function clipGradNorm(
  parameters: Iterable<Tensor> | Tensor,
  maxNorm: number,
  { normType = 2 }: ClipGradNormOptions = {},
): Tensor {
  if (!(maxNorm >= 0)) throw new OptionError(`clipGradNorm: expected a norm of at least 0, found ${maxNorm}`);
  if (!(normType > 0)) throw new OptionError(`clipGradNorm: expected a normType above 0, found ${normType}`);
  return noGrad(() => {
    const owners = withGradients(parameters);
    const norm = normOf(owners.map(([, gradient]) => gradient.cast("float32")), normType); // prettier-ignore
    const share = norm.add(NORM_EPS).reciprocal().mul(maxNorm).minimum(1);
    for (const [owner, gradient] of owners) {
      owner.grad = gradient.cast("float32").mul(share).cast(gradient.dtype);
    }
    return norm;
  });
}

/** Bounds each element of all gradients to [-clipValue, clipValue]. @throws OptionError */
export function clipGradValue(parameters: Iterable<Tensor> | Tensor, clipValue: number): void {
  if (!(clipValue >= 0)) throw new OptionError(`clipGradValue: expected a value of at least 0, found ${clipValue}`);
  noGrad(() => {
    for (const [owner, gradient] of withGradients(parameters)) {
      owner.grad = gradient.clamp({ min: -clipValue, max: clipValue });
    }
  });
}

function withGradients(parameters: Iterable<Tensor> | Tensor): (readonly [Tensor, Tensor])[] {
  const list = parameters instanceof Tensor ? [parameters] : [...new Set(parameters)];
  return list.flatMap((owner) => (owner.grad === null ? [] : [[owner, owner.grad.detach()] as const]));
}

function normOf(gradients: readonly Tensor[], normType: number): Tensor {
  const parts = gradients.filter(({ size }) => size > 0);
  if (parts.length === 0) return zeros([]);
  if (normType === Number.POSITIVE_INFINITY) {
    return parts.map((part) => part.abs().max()).reduce((norm, part) => norm.maximum(part));
  }
  const sum = (power: (part: Tensor) => Tensor): Tensor => parts.map((part) => power(part).sum()).reduce((all, part) => all.add(part)); // prettier-ignore
  if (normType === 1) return sum((part) => part.abs());
  if (normType === 2) return sum((part) => part.square()).sqrt();
  return sum((part) => part.abs().pow(normType)).pow(1 / normType);
}
