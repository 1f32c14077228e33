/**
 * Attention and its gradients in a kernel each, with no scores in memory: see the primitive `attention`.
 *
 * The gradient of the gradient is that of the formula (`composed-attention.ts`).
 */
import * as graph from "../../compiler/attention.ts";
import type { AttentionNodes } from "../../compiler/attention.ts";
import { slice } from "../../compiler/graph.ts";
import type { Node } from "../../compiler/ir.ts";
import { isGradEnabled } from "../grad-mode.ts";
import { defineOp } from "../op.ts";
import { sizeOf } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import type { AttentionOperands, AttentionSettings } from "./attention-operands.ts";
import { composedGradients, type AttentionGradients } from "./composed-attention.ts";

interface Options extends AttentionSettings {
  /** Which of the last inputs are there. */
  readonly hasMask: boolean;
  readonly hasFactor: boolean;
}

/** q, k, v, and then a mask and a factor where there are -> [B, G, T, E]. */
const op = defineOp<readonly Tensor[], Options>({
  name: "scaledDotProductAttention",
  forward: (nodes, options) => {
    const whole = forwardNode(nodes, options);
    const [batch = 0, group = 0, queries = 0, columns = 0] = whole.shape;
    return slice(whole, [0, 0, 0, 0], [batch, group, queries, columns - 1]);
  },
  backward: ({ grad, inputs, options }) => {
    const operands = operandsOf(inputs, options);
    const found = isGradEnabled()
      ? composedGradients(operands, options, grad)
      : fusedGradients(operands, inputs, options, grad);
    return [found.q, found.k, found.v, ...(options.hasMask ? [found.mask] : []), null].slice(0, inputs.length);
  },
});

/** dL/dO and the inputs of `op` -> [B, G, T, D + 2]. The forward pass is one node with the one that was, if that is not gone. */
const queryOp = defineOp<readonly Tensor[], Options>({
  name: "attentionQueryGradient",
  forward: ([grad, ...nodes], options) =>
    graph.attentionQueryGradient(attentionNodes(nodes, options), options, grad as Node, forwardNode(nodes, options)),
  backward: null,
});

/** What `queryOp` gave, dL/dO and the inputs of `op` -> [B, S, D + E]. */
const keyValueOp = defineOp<readonly Tensor[], Options>({
  name: "attentionKeyValueGradient",
  forward: ([known, grad, ...nodes], options) =>
    graph.attentionKeyValueGradient(attentionNodes(nodes, options), options, grad as Node, known as Node),
  backward: null,
});

/** What `queryOp` gave, dL/dO and the inputs of `op` -> dL/dmask. */
const maskOp = defineOp<readonly Tensor[], Options>({
  name: "attentionMaskGradient",
  forward: ([known, grad, ...nodes], options) =>
    graph.attentionMaskGradient(attentionNodes(nodes, options), options, grad as Node, known as Node),
  backward: null,
});

/** [B, G, T, E]. No operand has an empty axis. */
export function fusedAttention(operands: AttentionOperands, settings: AttentionSettings): Tensor {
  const { q, k, v, mask, factor } = operands;
  const inputs = [q, k, v, mask, factor].filter((x) => x !== null);
  return op(inputs, { ...settings, hasMask: mask !== null, hasFactor: factor !== null });
}

function fusedGradients(
  { k, v, mask }: Pick<AttentionOperands, "k" | "v" | "mask">,
  inputs: readonly Tensor[],
  options: Options,
  grad: Tensor,
): AttentionGradients {
  const [depth, width] = [sizeOf(k.shape, 2), sizeOf(v.shape, 2)];
  const known = queryOp([grad, ...inputs], options);
  const keysAndValues = keyValueOp([known, grad, ...inputs], options);
  return {
    q: known.narrow(3, 0, depth),
    k: keysAndValues.narrow(2, 0, depth),
    v: keysAndValues.narrow(2, depth, width),
    mask: mask?.requiresGrad === true ? maskOp([known, grad, ...inputs], options) : null,
  };
}

function forwardNode(nodes: readonly Node[], options: Options): Node {
  return graph.attention(attentionNodes(nodes, options), options);
}

function attentionNodes(nodes: readonly Node[], { hasMask, hasFactor }: Options): AttentionNodes {
  const [q, k, v, ...more] = nodes as [Node, Node, Node, ...Node[]];
  return { q, k, v, mask: hasMask ? (more[0] ?? null) : null, factor: hasFactor ? (more.at(-1) ?? null) : null };
}

function operandsOf(inputs: readonly Tensor[], { hasMask, hasFactor }: Options): AttentionOperands {
  const [q, k, v, ...more] = inputs as [Tensor, Tensor, Tensor, ...Tensor[]];
  return { q, k, v, mask: hasMask ? (more[0] ?? null) : null, factor: hasFactor ? (more.at(-1) ?? null) : null };
}
