/**
 * The three products of a convolution: y from x and w, x from y and w, w from y and x.
 *
 * L = sum over o, k of g[o] * w[k] * x[o * stride + k * dilation - low] is linear in each of g, w and x. The convolution
 * is dL/dg, the transposed one dL/dx, the gradient of the weight dL/dw; the gradients of each are the other two, so
 * that all derivatives are there. Any number of spatial axes; groups of channels do not see one another.
 */
import { contraction, pad, permute, reshape, slice, window } from "../../compiler/graph.ts";
import type { Node, Shape } from "../../compiler/ir.ts";
import { defineOp } from "../op.ts";
import type { Op } from "../op.ts";
import { sizeOf } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import { overlapAdd } from "./window.ts";

/** Sizes and steps along each spatial axis. */
export interface Geometry {
  /** Of x. */
  readonly input: Shape;
  /** Of w. */
  readonly kernel: Shape;
  /** Of y. What lies beyond x, on either side, counts as 0. */
  readonly output: Shape;
  /** Zeros before x; negative ones cut it off. */
  readonly low: readonly number[];
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  readonly groups: number;
}

/** x [B, C, ...input], w [O, C / groups, ...kernel] -> y [B, O, ...output]. */
export const convolve: Op<[Tensor, Tensor], Geometry> = defineOp<[Tensor, Tensor], Geometry>({
  name: "convolution",
  forward: ([x, w], geometry) => outputNode(x, w, geometry),
  backward: ({ grad, inputs: [x, w], options }) => [convolveInput([grad, w], options), convolveWeight([grad, x], options)],
}); // prettier-ignore

/** y [B, O, ...output], w [O, C / groups, ...kernel] -> x [B, C, ...input]. */
export const convolveInput: Op<[Tensor, Tensor], Geometry> = defineOp<[Tensor, Tensor], Geometry>({
  name: "convolutionTransposed",
  forward: ([y, w], geometry) => inputNode(y, w, geometry),
  backward: ({ grad, inputs: [y, w], options }) => [convolve([grad, w], options), convolveWeight([y, grad], options)],
});

/** y [B, O, ...output], x [B, C, ...input] -> w [O, C / groups, ...kernel]. */
const convolveWeight: Op<[Tensor, Tensor], Geometry> = defineOp<[Tensor, Tensor], Geometry>({
  name: "convolutionWeight",
  forward: ([y, x], geometry) => weightNode(y, x, geometry),
  backward: ({ grad, inputs: [y, x], options }) => [convolve([x, grad], options), convolveInput([y, grad], options)],
});

function outputNode(x: Node, w: Node, geometry: Geometry): Node {
  const product = contraction(filterMatrix(w, geometry), patchMatrix(x, geometry));
  const joined = reshape(product, [sizeOf(w.shape, 0), sizeOf(x.shape, 0), ...geometry.output]);
  return swapFirst(joined);
}

function weightNode(y: Node, x: Node, geometry: Geometry): Node {
  const product = contraction(outputMatrix(y, geometry.groups), swapLast(patchMatrix(x, geometry)));
  const inner = sizeOf(x.shape, 1) / geometry.groups;
  return reshape(product, [sizeOf(y.shape, 1), inner, ...geometry.kernel]);
}

function inputNode(y: Node, w: Node, geometry: Geometry): Node {
  return geometry.stride.every((step) => step === 1) ? turnedInput(y, w, geometry) : summedInput(y, w, geometry);
}

/** With stride 1 it is a convolution with the kernel turned around, which stores no patches. */
function turnedInput(y: Node, w: Node, { input, kernel, output, low, stride, dilation, groups }: Geometry): Node {
  const [outputs = 0, inner = 0] = w.shape;
  const parts = reshape(w, [groups, outputs / groups, inner, ...kernel]);
  const swapped = permute(parts, [0, 2, 1, ...kernel.map((_, axis) => 3 + axis)]);
  const turned = slice(swapped, [0, 0, 0, ...kernel.map((size) => size - 1)], swapped.shape, [
    1,
    1,
    1,
    ...kernel.map(() => -1),
  ]);
  return outputNode(y, reshape(turned, [groups * inner, outputs / groups, ...kernel]), {
    input: output,
    output: input,
    kernel,
    low: kernel.map((size, axis) => (size - 1) * sizeOf(dilation, axis) - sizeOf(low, axis)),
    stride,
    dilation,
    groups,
  });
}

/** The gradients of all patches, each added to where it was taken from. With longer strides they are few. */
function summedInput(y: Node, w: Node, geometry: Geometry): Node {
  const { input, kernel, output, low, stride, dilation, groups } = geometry;
  const rank = kernel.length;
  const product = contraction(swapLast(filterMatrix(w, geometry)), outputMatrix(y, groups));
  const [batch, channels] = [sizeOf(y.shape, 0), groups * sizeOf(w.shape, 1)];
  const apart = reshape(product, [channels, ...kernel, batch, ...output]);
  const axes = kernel.map((_, axis) => axis);
  const patches = permute(apart, [1 + rank, 0, ...axes.map((axis) => 2 + rank + axis), ...axes.map((axis) => 1 + axis)]); // prettier-ignore
  return axes.reduceRight(
    (sum, axis) =>
      overlapAdd(sum, {
        axis: 2 + axis,
        size: sizeOf(kernel, axis),
        stride: sizeOf(stride, axis),
        dilation: sizeOf(dilation, axis),
        low: sizeOf(low, axis),
        length: sizeOf(input, axis),
      }),
    patches,
  );
}

/** w -> [groups, O / groups, C / groups * kernel]. */
function filterMatrix(w: Node, { groups, kernel }: Geometry): Node {
  const [outputs = 0, inner = 0] = w.shape;
  return reshape(w, [groups, outputs / groups, kernel.reduce((count, size) => count * size, inner)]);
}

/** y [B, O, ...output] -> [groups, O / groups, B * output]. */
function outputMatrix(y: Node, groups: number): Node {
  const [batch = 0, outputs = 0, ...output] = y.shape;
  return reshape(swapFirst(y), [groups, outputs / groups, output.reduce((count, size) => count * size, batch)]);
}

/** x [B, C, ...input] -> [groups, C / groups * kernel, B * output], without a copy but for the padding. */
function patchMatrix(x: Node, { input, kernel, output, low, stride, dilation, groups }: Geometry): Node {
  const [batch = 0, channels = 0] = x.shape;
  const rank = kernel.length;
  const high = input.map((size, axis) => {
    const reach = (sizeOf(output, axis) - 1) * sizeOf(stride, axis) + (sizeOf(kernel, axis) - 1) * sizeOf(dilation, axis) + 1; // prettier-ignore
    return reach - size - sizeOf(low, axis);
  });
  let patches = pad(x, { low: [0, 0, ...low], high: [0, 0, ...high] });
  for (let axis = 0; axis < rank; axis++) {
    patches = window(patches, 2 + axis, sizeOf(kernel, axis), sizeOf(stride, axis), sizeOf(dilation, axis));
  }
  const apart = reshape(patches, [batch, groups, channels / groups, ...output, ...kernel]);
  const places = output.map((_, axis) => 3 + axis);
  const ordered = permute(apart, [1, 2, ...places.map((axis) => axis + rank), 0, ...places]);
  const rows = kernel.reduce((count, size) => count * size, channels / groups);
  return reshape(ordered, [groups, rows, output.reduce((count, size) => count * size, batch)]);
}

function swapFirst(x: Node): Node {
  return permute(x, [1, 0, ...x.shape.slice(2).map((_, axis) => 2 + axis)]);
}

function swapLast(x: Node): Node {
  return permute(x, [0, 2, 1]);
}
