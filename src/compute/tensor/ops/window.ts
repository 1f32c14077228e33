import { pad, permute, reshape, slice, binary, window as windowNode } from "../../compiler/graph.ts";
import type { Node } from "../../compiler/ir.ts";
import { assert } from "../../../base/assert.ts";
import { defineOp } from "../op.ts";
import type { Op } from "../op.ts";
import { sizeOf, withSize } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";

/** Sliding windows along `axis`. */
export interface Windows {
  readonly axis: number;
  readonly size: number;
  readonly stride: number;
  readonly dilation: number;
}

/** dL/dx[i] = the sum of g[o, k] over the windows o and places k with o * stride + k * dilation = i. */
const op: Op<[Tensor], Windows> = defineOp<[Tensor], Windows>({
  name: "window",
  forward: ([x], { axis, size, stride, dilation }) => windowNode(x, axis, size, stride, dilation),
  backward: ({ grad, inputs: [x], options }) => [
    adjoint([grad], { ...options, length: sizeOf(x.shape, options.axis) }),
  ],
});

/** The adjoint of `op`, and `op` is its adjoint. */
const adjoint: Op<[Tensor], Windows & { readonly length: number }> = defineOp<
  [Tensor],
  Windows & { readonly length: number }
>({
  name: "unwindow",
  forward: ([g], options) => overlapAdd(g, { ...options, low: 0 }),
  backward: ({ grad, options }) => [op([grad], options)],
});

/** Windows and the axis that they came from, of which the first `low` elements are left out. */
export interface Overlap extends Windows {
  readonly low: number;
  /** Of the axis, after `low`. */
  readonly length: number;
}

/** out[i] = the sum of g[o, k] with o * stride + k * dilation - low = i; `axis` gets `length`, the last axis goes. */
export function overlapAdd(g: Node, overlap: Overlap): Node {
  return overlap.stride === overlap.size && overlap.dilation === 1 ? joinWindows(g, overlap) : sumWindows(g, overlap);
}

/** Windows that do not overlap are laid end to end. */
function joinWindows(g: Node, { axis, low, length }: Overlap): Node {
  const last = g.shape.length - 1;
  const order = g.shape.flatMap((_, i) => (i === last ? [] : i === axis ? [i, last] : [i]));
  const covered = sizeOf(g.shape, axis) * sizeOf(g.shape, last);
  const joined = reshape(permute(g, order), withSize(g.shape.slice(0, -1), axis, covered));
  return padAxis(joined, axis, -low, length + low - covered, 0);
}

/** The k-th elements of all windows, spread `stride` apart from k * dilation on; then the sum over k. */
function sumWindows(g: Node, { axis, size, stride, dilation, low, length }: Overlap): Node {
  const last = g.shape.length - 1;
  const spread = (sizeOf(g.shape, axis) - 1) * stride + 1;
  let sum: Node | null = null;
  for (let k = 0; k < size; k++) {
    const starts = g.shape.map((_, i) => (i === last ? k : 0));
    const part = slice(g, starts, withSize(g.shape, last, 1), g.shape.map(() => 1)); // prettier-ignore
    const before = k * dilation - low;
    const placed = padAxis(reshape(part, g.shape.slice(0, -1)), axis, before, length - before - spread, stride - 1);
    sum = sum === null ? placed : binary("add", sum, placed);
  }
  assert(sum !== null, "overlapAdd: windows of size 0");
  return sum;
}

function padAxis(x: Node, axis: number, low: number, high: number, interior: number): Node {
  const at = (count: number): number[] => x.shape.map((_, i) => (i === axis ? count : 0));
  return pad(x, { low: at(low), high: at(high), interior: at(interior), value: 0 });
}

/** `axis` becomes the number of windows, and a last axis holds their elements: out[.., o, .., k] = x[.., o * stride + k * dilation, ..]. */
export function windows(x: Tensor, options: Windows): Tensor {
  return op([x], options);
}

/** The adjoint of `windows`: out[i] = the sum of g[.., o, .., k] with o * stride + k * dilation = i; `axis` gets `length`. */
export function unwindows(g: Tensor, options: Windows & { readonly length: number }): Tensor {
  return adjoint([g], options);
}
