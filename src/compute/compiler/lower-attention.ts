/** The kernel of a node of attention. */
import { assert } from "../../base/assert.ts";
import { attentionForward } from "../kernels/attention/forward.ts";
import { attentionKeyValueGradient } from "../kernels/attention/key-value-gradient.ts";
import { attentionMaskGradient } from "../kernels/attention/mask-gradient.ts";
import { attentionQueryGradient } from "../kernels/attention/query-gradient.ts";
import type { AttentionSchedule } from "../kernels/attention/schedule.ts";
import type { Grid, Loops, Operand, Sink } from "../kernels/grid.ts";
import { attentionOf, pairInputs } from "./infer-attention.ts";
import type { Node } from "./ir.ts";

/** @param operand the values of an input */
export function lowerAttention(
  core: Node,
  operand: (node: Node | undefined) => Operand,
  { schedule, sink, loops }: { readonly schedule: AttentionSchedule; readonly sink: Sink; readonly loops: Loops },
): Grid {
  const { primitive, inputs } = core;
  assert(primitive.kind === "attention", `lowerAttention: expected a node of attention, found ${primitive.kind}`);
  const attention = attentionOf(core);
  const [q, k, v, grad, known] = inputs;
  const { mask, factor } = pairInputs(core);
  const reads = {
    q: operand(q),
    k: operand(k),
    v: operand(v),
    mask: mask && operand(mask),
    factor: factor && operand(factor),
  };
  const work = { attention, reads, schedule, sink, loops };
  switch (primitive.part) {
    case "forward":
      return attentionForward(work);
    case "gradQuery":
      return attentionQueryGradient(work, { grad: operand(grad), result: operand(known) });
    case "gradKeyValue":
      return attentionKeyValueGradient(work, { grad: operand(grad), queryGradient: operand(known) });
    case "gradMask":
      return attentionMaskGradient(work, { grad: operand(grad), queryGradient: operand(known) }, core.shape);
  }
}
