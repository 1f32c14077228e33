/** Convolutions and transposed ones over one to three axes, against sums over every output, kernel place and channel. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { present } from "../../../../src/base/assert.ts";
import { OptionError, ShapeError } from "../../../../src/base/errors.ts";
import { zeros } from "../../../../src/compute/tensor/create.ts";
import { conv1d, conv2d, conv3d } from "../../../../src/compute/tensor/ops/conv.ts";
import {
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
} from "../../../../src/compute/tensor/ops/conv-transpose.ts";
import type { Tensor } from "../../../../src/compute/tensor/tensor.ts";
import { floats } from "./draws.ts";
import { at, type NdArray, ndArray } from "./nd-array.ts";
import { type OpProperty, testProperties } from "./op-property.ts";

const CONVOLUTIONS = [conv1d, conv2d, conv3d];
const TRANSPOSED = [convTranspose1d, convTranspose2d, convTranspose3d];

/** Numbers of one drawn convolution, along each axis where they are lists. */
interface Drawn {
  readonly rank: number;
  readonly batch: number | null;
  readonly groups: number;
  readonly inner: number;
  readonly outer: number;
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  readonly padding: readonly number[];
  readonly more: readonly number[];
  readonly hasBias: boolean;
  readonly seed: number;
}

const upTo = (max: number, min = 1): fc.Arbitrary<number> => fc.integer({ min, max });

function drawn(ranks: fc.Arbitrary<number>): fc.Arbitrary<Drawn> {
  return ranks.chain((rank) => {
    const each = (item: fc.Arbitrary<number>): fc.Arbitrary<number[]> => fc.array(item, { minLength: rank, maxLength: rank });
    return fc.record({
      rank: fc.constant(rank),
      batch: fc.constantFrom(null, 0, 1, 2, 2),
      groups: upTo(2),
      inner: upTo(2),
      outer: upTo(2),
      kernel: each(upTo(3)),
      stride: fc.oneof(fc.constant(Array.from({ length: rank }, () => 1)), each(upTo(3))),
      dilation: each(upTo(2)),
      padding: each(upTo(2, 0)),
      more: each(upTo(3, 0)),
      hasBias: fc.boolean(),
      seed: fc.nat(),
    });
  }); // prettier-ignore
}

const sizesAt = (list: readonly number[], axis: number): number => present(list[axis], "a size");

/** Every index of `shape`. */
function indices(shape: readonly number[]): number[][] {
  const all: number[][] = [];
  ndArray(shape, (index) => all.push([...index]));
  return all;
}

/** y[b, o, p] = bias[o] + the sum over c, k of w[o, c, k] x[b, c', p stride + k dilation - padding]. */
function convolved(x: NdArray, w: NdArray, bias: NdArray | undefined, geometry: Steps, spatial: readonly number[]): NdArray {
  const { groups, stride, dilation, low } = geometry;
  const [outputs = 0, inner = 0, ...kernel] = w.shape;
  return ndArray([x.shape[0] ?? 0, outputs, ...spatial], ([b = 0, o = 0, ...p]) => {
    const first = Math.floor(o / (outputs / groups)) * inner;
    let sum = bias === undefined ? 0 : (bias.data[o] ?? 0);
    for (const [c = 0, ...k] of indices([inner, ...kernel])) {
      const place = p.map((i, axis) => i * sizesAt(stride, axis) + sizesAt(k, axis) * sizesAt(dilation, axis) - sizesAt(low, axis)); // prettier-ignore
      const value = at(x, [b, first + c, ...place]);
      sum += Number.isNaN(value) ? 0 : value * at(w, [o, c, ...k]);
    }
    return sum;
  });
} // prettier-ignore

interface Steps {
  readonly groups: number;
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  readonly low: readonly number[];
}

/** Puts x[b, c, p] w[c, o, k] where p stride + k dilation - padding says. */
function spread(x: NdArray, w: NdArray, bias: NdArray | undefined, geometry: Steps, spatial: readonly number[]): NdArray {
  const { groups, stride, dilation, low } = geometry;
  const [inputs = 0, inner = 0, ...kernel] = w.shape;
  const shape = [x.shape[0] ?? 0, inner * groups, ...spatial];
  const out = ndArray(shape, ([, o = 0]) => (bias === undefined ? 0 : (bias.data[o] ?? 0)));
  for (const [b = 0, c = 0, ...p] of indices(x.shape)) {
    for (const [o = 0, ...k] of indices([inner, ...kernel])) {
      const place = p.map((i, axis) => i * sizesAt(stride, axis) + sizesAt(k, axis) * sizesAt(dilation, axis) - sizesAt(low, axis)); // prettier-ignore
      const target = [b, Math.floor(c / (inputs / groups)) * inner + o, ...place];
      if (target.some((i, axis) => i < 0 || i >= (shape[axis] ?? 0))) continue;
      const flat = target.reduce((sum, i, axis) => sum * (shape[axis] ?? 1) + i, 0);
      out.data[flat] = (out.data[flat] ?? 0) + at(x, [b, c, ...p]) * at(w, [c, o, ...k]);
    }
  }
  return out;
} // prettier-ignore

function batched(x: NdArray, batch: number | null): NdArray {
  return batch === null ? { shape: [1, ...x.shape], data: x.data } : x;
}

function unbatched(y: NdArray, batch: number | null): NdArray {
  return batch === null ? { shape: y.shape.slice(1), data: y.data } : y;
}

const reachOf = ({ kernel, dilation }: Drawn): number[] => kernel.map((size, axis) => (size - 1) * sizesAt(dilation, axis) + 1); // prettier-ignore

function convolution(name: string, ranks: fc.Arbitrary<number>): OpProperty {
  return {
    name,
    draws: drawn(ranks).map((draw) => {
      const { rank, batch, groups, inner, outer, kernel, stride, dilation, padding, more, hasBias, seed } = draw;
      const reach = reachOf(draw);
      const input = reach.map((size, axis) => Math.max(1, size - 2 * sizesAt(padding, axis)) + sizesAt(more, axis));
      const output = input.map((size, axis) => Math.floor((size + 2 * sizesAt(padding, axis) - sizesAt(reach, axis)) / sizesAt(stride, axis)) + 1); // prettier-ignore
      const outputs = outer * groups;
      return {
        inputs: [
          floats([...(batch === null ? [] : [batch]), inner * groups, ...input], seed),
          floats([outputs, inner, ...kernel], seed + 1),
          ...(hasBias ? [floats([outputs], seed + 2)] : []),
        ],
        apply: ([x, w, bias]) =>
          present(CONVOLUTIONS[rank - 1], "a convolution")(x as Tensor, w as Tensor, bias, { stride, padding, dilation, groups }), // prettier-ignore
        expected: ([x, w, bias]) =>
          unbatched(
            convolved(batched(x as NdArray, batch), w as NdArray, bias, { groups, stride, dilation, low: padding }, output), // prettier-ignore
            batch,
          ),
      };
    }),
  };
}

const same: OpProperty = {
  name: "conv2d with padding same",
  draws: drawn(fc.constant(2)).map(({ batch, groups, inner, outer, kernel, dilation, more, seed }) => {
    const input = more.map((count) => count + 1);
    return {
      inputs: [
        floats([...(batch === null ? [] : [batch]), inner * groups, ...input], seed),
        floats([outer * groups, inner, ...kernel], seed + 1),
      ],
      apply: ([x, w]) => conv2d(x as Tensor, w as Tensor, null, { padding: "same", dilation, groups }),
      expected: ([x, w]) => {
        const low = kernel.map((size, axis) => Math.floor(((size - 1) * sizesAt(dilation, axis)) / 2));
        const steps = { groups, stride: [1, 1], dilation, low };
        return unbatched(convolved(batched(x as NdArray, batch), w as NdArray, undefined, steps, input), batch);
      },
    };
  }),
};

function transposed(name: string, ranks: fc.Arbitrary<number>): OpProperty {
  return {
    name,
    draws: drawn(ranks).map((draw) => {
      const { rank, batch, groups, inner, outer, kernel, stride, dilation, more, hasBias, seed } = draw;
      const reach = reachOf(draw);
      const input = more.map((count) => count + 1);
      const outputPadding = more.map((count, axis) => count % Math.max(sizesAt(stride, axis), sizesAt(dilation, axis)));
      const full = input.map((size, axis) => (size - 1) * sizesAt(stride, axis) + sizesAt(reach, axis) + sizesAt(outputPadding, axis)); // prettier-ignore
      const padding = draw.padding.map((count, axis) => Math.min(count, Math.floor((sizesAt(full, axis) - 1) / 2)));
      const output = full.map((size, axis) => size - 2 * sizesAt(padding, axis));
      const options = { stride, padding, outputPadding, dilation, groups };
      return {
        inputs: [
          floats([...(batch === null ? [] : [batch]), outer * groups, ...input], seed),
          floats([outer * groups, inner, ...kernel], seed + 1),
          ...(hasBias ? [floats([inner * groups], seed + 2)] : []),
        ],
        apply: ([x, w, bias]) =>
          present(TRANSPOSED[rank - 1], "a convolution")(x as Tensor, w as Tensor, bias, options),
        expected: ([x, w, bias]) =>
          unbatched(
            spread(batched(x as NdArray, batch), w as NdArray, bias, { groups, stride, dilation, low: padding }, output), // prettier-ignore
            batch,
          ),
      };
    }),
  };
}

testProperties(
  [
    convolution("conv1d and conv2d", fc.constantFrom(1, 2)),
    same,
    transposed("convTranspose1d and convTranspose2d", fc.constantFrom(1, 2)),
  ],
  { runs: 40, webGpuRuns: 2 },
);
testProperties([convolution("conv3d", fc.constant(3)), transposed("convTranspose3d", fc.constant(3))], {
  runs: 4,
  webGpuRuns: 1,
});

test("what does not fit is refused with what was expected", () => {
  const x = zeros([1, 4, 5, 5]);
  const w = zeros([2, 4, 3, 3]);
  expect(() => conv2d(zeros([4, 5]), w)).toThrow(new ShapeError("conv2d: expected [B, C, H, W], with or without B, found [4, 5]")); // prettier-ignore
  expect(() => conv2d(x, zeros([2, 3, 3, 3]))).toThrow(
    new ShapeError("conv2d: expected x [B, C, H, W] and weight [O, C / 1, ...kernel], found [1, 4, 5, 5] and [2, 3, 3, 3]"),
  ); // prettier-ignore
  expect(() => conv2d(x, w, zeros([3]))).toThrow(new ShapeError("conv2d: expected a bias [2], found [3]"));
  expect(() => conv2d(zeros([1, 4, 2, 5]), w)).toThrow(
    new ShapeError("conv2d: expected at least [3, 3] elements for this kernel, found [2, 5]"),
  );
  expect(() => conv2d(x, w, null, { stride: 0 })).toThrow(
    new OptionError("conv2d: expected stride to be one or 2 whole numbers from 1, found 0"),
  );
  expect(() => conv2d(x, w, null, { padding: [1, 2, 3] })).toThrow(OptionError);
  expect(() => conv2d(x, w, null, { stride: 2, padding: "same" })).toThrow(OptionError);
  expect(() => conv2d(x, w, null, { groups: 0 })).toThrow(OptionError);
  expect(() => convTranspose2d(x, zeros([4, 2, 3, 3]), null, { outputPadding: 1 })).toThrow(
    new OptionError("convTranspose2d: expected outputPadding below the stride or the dilation, found [1, 1]"),
  );
  expect(() => convTranspose2d(x, w)).toThrow(ShapeError);
  expect(() => convTranspose1d(zeros([1, 1, 1]), zeros([1, 1, 1]), null, { padding: 3 })).toThrow(ShapeError);
});
