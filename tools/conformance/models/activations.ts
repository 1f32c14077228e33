/** Activations by the names that people write for them. */
import { celu, elu, selu } from "../../../src/compute/tensor/ops/elu.ts";
import { glu } from "../../../src/compute/tensor/ops/glu.ts";
import { hardsigmoid, hardswish, hardtanh, relu6 } from "../../../src/compute/tensor/ops/hardtanh.ts";
import { leakyRelu } from "../../../src/compute/tensor/ops/leaky-relu.ts";
import { logSigmoid } from "../../../src/compute/tensor/ops/log-sigmoid.ts";
import { mish } from "../../../src/compute/tensor/ops/mish.ts";
import { softplus } from "../../../src/compute/tensor/ops/softplus.ts";
import { hardshrink, softshrink, tanhshrink } from "../../../src/compute/tensor/ops/softshrink.ts";
import { softsign } from "../../../src/compute/tensor/ops/softsign.ts";
import type { Tensor } from "../../../src/compute/tensor/tensor.ts";

/** The number is the one that PyTorch takes first, such as a slope. */
type Activation = (x: Tensor, number?: number) => Tensor;

/** "gelu" is by tanh, as the fixtures have it. */
const ACTIVATIONS: ReadonlyMap<string, Activation> = new Map<string, Activation>([
  ["relu", (x) => x.relu()],
  ["relu2", (x) => x.relu().square()],
  ["squaredrelu", (x) => x.relu().square()],
  ["relusquared", (x) => x.relu().square()],
  ["relu6", (x) => relu6(x)],
  ["leakyrelu", (x, slope) => leakyRelu(x, slope)],
  ["lrelu", (x, slope) => leakyRelu(x, slope)],
  ["gelu", (x) => x.gelu({ approximate: "tanh" })],
  ["gelutanh", (x) => x.gelu({ approximate: "tanh" })],
  ["gelunew", (x) => x.gelu({ approximate: "tanh" })],
  ["geluexact", (x) => x.gelu()],
  ["gelunone", (x) => x.gelu()],
  ["geluerf", (x) => x.gelu()],
  ["quickgelu", (x) => x.mul(x.mul(1.702).sigmoid())],
  ["silu", (x) => x.silu()],
  ["swish", (x) => x.silu()],
  ["mish", (x) => mish(x)],
  ["elu", (x, alpha = 1) => elu(x, { alpha })],
  ["selu", (x) => selu(x)],
  ["celu", (x, alpha = 1) => celu(x, { alpha })],
  ["tanh", (x) => x.tanh()],
  ["sigmoid", (x) => x.sigmoid()],
  ["logsigmoid", (x) => logSigmoid(x)],
  ["softplus", (x, beta = 1) => softplus(x, { beta })],
  ["softsign", (x) => softsign(x)],
  ["hardtanh", (x) => hardtanh(x)],
  ["hardsigmoid", (x) => hardsigmoid(x)],
  ["hardswish", (x) => hardswish(x)],
  ["hardshrink", (x, lambda) => hardshrink(x, lambda)],
  ["softshrink", (x, lambda) => softshrink(x, lambda)],
  ["tanhshrink", (x) => tanhshrink(x)],
  ["softmax", (x, axis = -1) => x.softmax(axis)],
  ["logsoftmax", (x, axis = -1) => x.logSoftmax(axis)],
  ["glu", (x, axis) => glu(x, axis)],
  ["square", (x) => x.square()],
  ["sin", (x) => x.sin()],
  ["exp", (x) => x.exp()],
  ["identity", (x) => x],
  ["none", (x) => x],
  ["linear", (x) => x],
]);

/** Feed-forward layers whose first half goes through an activation and multiplies the other half. */
export const GATES: ReadonlyMap<string, string> = new Map([
  ["swiglu", "silu"],
  ["geglu", "gelu"],
  ["reglu", "relu"],
  ["bilinear", "identity"],
]);

/** Lower case, and without what only separates: "leaky_relu" and "LeakyReLU" are one. */
export function plainName(name: string): string {
  return name.toLowerCase().replace(/^(torch\.)?(nn\.)?(functional\.|f\.)?/, "").replace(/[\s_-]/g, ""); // prettier-ignore
}

/** The activation of that name, undefined for none. */
export function activationOf(name: string): Activation | undefined {
  return ACTIVATIONS.get(plainName(name));
}

/** All names, for messages. */
export function activationNames(): string[] {
  return [...ACTIVATIONS.keys()];
}
