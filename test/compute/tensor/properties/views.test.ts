/** Views, joins, triangles and windows: each output element is an element of the input, found by a plain formula. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { present } from "../../../../src/base/assert.ts";
import { OptionError, ShapeError } from "../../../../src/base/errors.ts";
import type { Runtime } from "../../../../src/compute/runtime/runtime.ts";
import { asTensor, full, fullLike, onesLike, tensor, zeros, zerosLike } from "../../../../src/compute/tensor/create.ts";
import { arange, eye, linspace, logspace } from "../../../../src/compute/tensor/create-ranges.ts";
import { cat, stack } from "../../../../src/compute/tensor/ops/cat.ts";
import { broadcastTensors, cartesianProd, meshgrid } from "../../../../src/compute/tensor/ops/meshgrid.ts";
import { columnStack, dstack, hstack, vstack } from "../../../../src/compute/tensor/ops/stacking.ts";
import { trilIndices, triuIndices } from "../../../../src/compute/tensor/ops/triangle-indices.ts";
import { fold, unfold } from "../../../../src/compute/tensor/ops/unfold.ts";
import { setDefaultRuntime } from "../../../../src/compute/tensor/runtime-scope.ts";
import type { Tensor } from "../../../../src/compute/tensor/tensor.ts";
import { deviceRuntime } from "../test-runtimes.ts";
import { booleans, broadcastingShapes, floats, shapes } from "./draws.ts";
import { at, broadcastAt, broadcastShape, type NdArray, ndArray } from "./nd-array.ts";
import { type OpProperty, type PropertyInput, testProperties } from "./op-property.ts";

type Index = readonly number[];

const put = (index: Index, axis: number, i: number): number[] => index.map((old, k) => (k === axis ? i : old));
const drop = (index: Index, axis: number): number[] => index.filter((_, i) => i !== axis);
const insert = (index: Index, axis: number, value: number): number[] => [...index.slice(0, axis), value, ...index.slice(axis)]; // prettier-ignore
const product = (shape: Index): number => shape.reduce((a, b) => a * b, 1);
const mod = (i: number, n: number): number => ((i % n) + n) % n;
/** The element at `place` in row-major order. */
const flat = (x: NdArray, place: number): number => x.data[place] ?? Number.NaN;
const rowMajor = (shape: Index, index: Index): number => index.reduce((place, i, axis) => place * (shape[axis] ?? 1) + i, 0); // prettier-ignore

interface Draw {
  readonly shape: number[];
  readonly seed: number;
  readonly a: number;
  readonly b: number;
  readonly flag: boolean;
}

/** An op of one tensor: what it gives for a draw, and which element stands where. */
function view(
  name: string,
  [minRank, maxRank]: [number, number],
  make: (draw: Draw) => { apply: (x: Tensor) => Tensor; shape: number[]; value: (x: NdArray, index: Index, place: number) => number },
  accepts: (draw: Draw) => boolean = () => true,
): OpProperty {
  const draws = fc.record({ shape: shapes(minRank, maxRank), seed: fc.nat(1e6), a: fc.integer({ min: -4, max: 4 }), b: fc.integer({ min: -4, max: 4 }), flag: fc.boolean() });
  return {
    name,
    draws: draws.filter(accepts).map((draw) => {
      const { apply, shape, value } = make(draw);
      return {
        inputs: [floats(draw.shape, draw.seed)],
        apply: ([x]) => apply(present(x, "x")),
        expected: ([x]) => ndArray(shape, (index, place) => value(present(x, "x"), index, place)),
      };
    }),
  };
} // prettier-ignore

/** Two distinct axes from a draw. */
function plane({ shape, a, b }: Draw): [number, number] {
  const first = mod(a, shape.length);
  return [first, mod(first + 1 + mod(b, shape.length - 1), shape.length)];
}

/** Row and column on a diagonal. */
const onDiagonal = (i: number, offset: number): [number, number] => [i + Math.max(0, -offset), i + Math.max(0, offset)];

const views: OpProperty[] = [
  view("unflatten", [1, 3], ({ shape, a, flag }) => {
    const axis = mod(a, shape.length);
    const size = shape[axis] ?? 0;
    const parts = size > 0 && size % 2 === 0 ? [2, size / 2] : [size, 1];
    return {
      apply: (x) => x.unflatten(axis - shape.length, flag && size > 0 ? put(parts, 0, -1) : parts),
      shape: [...shape.slice(0, axis), ...parts, ...shape.slice(axis + 1)],
      value: (x, _, place) => flat(x, place),
    };
  }),
  view("squeeze and unsqueeze", [1, 3], ({ shape, a }) => {
    const axis = mod(a, shape.length);
    const kept = shape[axis] === 1 ? drop(shape, axis) : shape;
    return { apply: (x) => x.squeeze(axis).unsqueeze(-1), shape: [...kept, 1], value: (x, _, place) => flat(x, place) };
  }),
  view("movedim", [2, 4], (draw) => {
    const [from, to] = plane(draw);
    const rest = draw.shape.map((_, i) => i).filter((i) => i !== from);
    const order = insert(rest, to, from);
    return {
      apply: (x) => x.movedim(from, to - draw.shape.length),
      shape: order.map((axis) => draw.shape[axis] ?? 0),
      value: (x, index) => at(x, draw.shape.map((_, axis) => index[order.indexOf(axis)] ?? 0)),
    };
  }),
  view("movedim of two axes", [2, 4], (draw) => {
    const [first, second] = plane(draw);
    const rest = draw.shape.map((_, i) => i).filter((i) => i !== first && i !== second);
    const order = [...rest, second, first];
    return {
      apply: (x) => x.movedim([first, second], [-1, -2]),
      shape: order.map((axis) => draw.shape[axis] ?? 0),
      value: (x, index) => at(x, draw.shape.map((_, axis) => index[order.indexOf(axis)] ?? 0)),
    };
  }),
  view("roll along two axes", [2, 3], (draw) => {
    const [first, second] = plane(draw);
    const size = (axis: number): number => draw.shape[axis] ?? 1;
    return {
      apply: (x) => x.roll([draw.a * 3, draw.b], [first, second]),
      shape: draw.shape,
      value: (x, index) => at(x, put(put(index, first, mod((index[first] ?? 0) - draw.a * 3, size(first))), second, mod((index[second] ?? 0) - draw.b, size(second)))),
    };
  }),
  view("roll of all elements", [0, 3], ({ shape, a }) => ({
    apply: (x) => x.roll(a),
    shape,
    value: (x, _, place) => flat(x, mod(place - a, product(shape))),
  })),
  view("rot90", [2, 3], (draw) => {
    const [from, to] = plane(draw);
    const turns = mod(draw.a + draw.b, 4);
    let shape = draw.shape;
    const steps: ((index: Index) => number[])[] = [];
    for (let turn = 0; turn < turns; turn++) {
      // A quarter: out[i, j] = x[j, n - 1 - i] in the plane (from, to), with n columns.
      const columns = shape[to] ?? 0;
      shape = put(put(shape, from, columns), to, shape[from] ?? 0);
      steps.push((index) => put(put(index, from, index[to] ?? 0), to, columns - 1 - (index[from] ?? 0)));
    }
    return {
      apply: (x) => x.rot90(draw.a + draw.b, [from, to]),
      shape,
      value: (x, index) => at(x, steps.reduceRight((place, step) => step(place), [...index])),
    };
  }),
  view("diagonal", [2, 4], (draw) => {
    const [dim1, dim2] = plane(draw);
    const [m, n] = [draw.shape[dim1] ?? 0, draw.shape[dim2] ?? 0];
    const length = Array.from({ length: m }, (_, row) => row + draw.a).filter((column) => column >= 0 && column < n).length;
    const rest = draw.shape.map((_, i) => i).filter((i) => i !== dim1 && i !== dim2);
    return {
      apply: (x) => x.diagonal({ offset: draw.a, dim1, dim2 }),
      shape: [...rest.map((axis) => draw.shape[axis] ?? 0), length],
      value: (x, index) => {
        const [row, column] = onDiagonal(index.at(-1) ?? 0, draw.a);
        return at(x, draw.shape.map((_, axis) => (axis === dim1 ? row : axis === dim2 ? column : (index[rest.indexOf(axis)] ?? 0))));
      },
    };
  }),
  view("diagEmbed", [1, 3], (draw) => {
    const { shape, a } = draw;
    const [dim1, dim2] = plane({ ...draw, shape: [...shape, 1] });
    const side = (shape.at(-1) ?? 0) + Math.abs(a);
    const [low, high] = [Math.min(dim1, dim2), Math.max(dim1, dim2)];
    return {
      apply: (x) => x.diagEmbed({ offset: a, dim1, dim2 }),
      shape: insert(insert(shape.slice(0, -1), low, side), high, side),
      value: (x, index) => {
        const [row = 0, column = 0] = [index[dim1], index[dim2]];
        return column - row === a ? at(x, [...drop(drop(index, high), low), Math.min(row, column)]) : 0;
      },
    };
  }),
  view("diag of a vector", [1, 1], ({ shape: [n = 0], a }) => ({
    apply: (x) => x.diag(a),
    shape: [n + Math.abs(a), n + Math.abs(a)],
    value: (x, [row = 0, column = 0]) => (column - row === a ? at(x, [Math.min(row, column)]) : 0),
  })),
  view("trace", [2, 2], ({ shape: [m = 0, n = 0] }) => ({
    apply: (x) => x.trace(),
    shape: [],
    value: (x) => Array.from({ length: Math.min(m, n) }, (_, i) => at(x, [i, i])).reduce((p, q) => p + q, 0),
  })),
  view("tile", [0, 3], ({ shape, a, b }) => {
    const repeats = [Math.abs(a) % 3, 1 + (Math.abs(b) % 2)];
    const rank = Math.max(2, shape.length);
    const pad = (list: number[]): number[] => [...Array.from({ length: rank - list.length }, () => 1), ...list];
    return {
      apply: (x) => x.tile(...repeats),
      shape: pad(shape).map((size, axis) => size * (pad(repeats)[axis] ?? 1)),
      value: (x, index) => at(x, index.slice(rank - shape.length).map((i, axis) => i % (shape[axis] ?? 1))),
    };
  }),
  view("repeatInterleave by a number", [1, 3], ({ shape, a, b }) => {
    const axis = mod(a, shape.length);
    const count = Math.abs(b) % 3;
    return {
      apply: (x) => x.repeatInterleave(count, axis),
      shape: put(shape, axis, (shape[axis] ?? 0) * count),
      value: (x, index) => at(x, put(index, axis, Math.floor((index[axis] ?? 0) / count))),
    };
  }),
  view("repeatInterleave by a list", [1, 3], ({ shape, a, seed }) => {
    const axis = mod(a, shape.length);
    const counts = Array.from({ length: shape[axis] ?? 0 }, (_, i) => (seed + i) % 3);
    const places = counts.flatMap((count, i) => Array.from({ length: count }, () => i));
    return {
      apply: (x) => x.repeatInterleave(counts, axis),
      shape: put(shape, axis, places.length),
      value: (x, index) => at(x, put(index, axis, places[index[axis] ?? 0] ?? 0)),
    };
  }),
  view("chunk, then joined in reverse order of parts", [1, 3], ({ shape, a, b }) => {
    const axis = mod(a, shape.length);
    const size = shape[axis] ?? 0;
    const count = 1 + Math.abs(b);
    const part = Math.ceil(size / count);
    const starts = Array.from({ length: Math.ceil(size / part) }, (_, i) => i * part).reverse();
    const places = starts.flatMap((start) => Array.from({ length: Math.min(part, size - start) }, (_, i) => start + i));
    return {
      apply: (x) => cat(x.chunk(count, axis).reverse(), axis),
      shape,
      value: (x, index) => at(x, put(index, axis, places[index[axis] ?? 0] ?? 0)),
    };
  }, ({ shape, a }) => (shape[mod(a, shape.length)] ?? 0) > 0),
  view("tensorSplit at places", [1, 3], ({ shape, a, b }) => {
    const axis = mod(a, shape.length);
    const size = shape[axis] ?? 0;
    const wrap = (i: number): number => Math.min(size, Math.max(0, i < 0 ? i + size : i));
    const [from, to] = [wrap(b), wrap(2)];
    return {
      apply: (x) => present(x.tensorSplit([b, 2], axis)[1], "a part"),
      shape: put(shape, axis, Math.max(0, to - from)),
      value: (x, index) => at(x, put(index, axis, from + (index[axis] ?? 0))),
    };
  }),
  view("unbind", [1, 3], ({ shape, a }) => {
    const axis = mod(a, shape.length);
    return {
      apply: (x) => present(x.unbind(axis).at(-1), "a part"),
      shape: drop(shape, axis),
      value: (x, index) => at(x, insert(index, axis, (shape[axis] ?? 1) - 1)),
    };
  }, ({ shape, a }) => (shape[mod(a, shape.length)] ?? 0) > 0),
  view("unfold", [1, 3], ({ shape, a, b, seed }) => {
    const axis = mod(a, shape.length);
    const length = shape[axis] ?? 0;
    const [size, step] = [1 + (seed % Math.max(1, length)), 1 + Math.abs(b)];
    return {
      apply: (x) => x.unfold(axis, size, step),
      shape: [...put(shape, axis, Math.floor((length - size) / step) + 1), size],
      value: (x, index) => at(x, put(index.slice(0, -1), axis, (index[axis] ?? 0) * step + (index.at(-1) ?? 0))),
    };
  }, ({ shape, a }) => (shape[mod(a, shape.length)] ?? 0) > 0),
  view("slice with negative steps", [1, 3], ({ shape, a, b }) => {
    const axis = mod(a, shape.length);
    const step = -1 - (Math.abs(b) % 3);
    return {
      apply: (x) => x.slice(shape.map((_, i) => (i === axis ? [null, null, step] : null))),
      shape: put(shape, axis, Math.ceil((shape[axis] ?? 0) / -step)),
      value: (x, index) => at(x, put(index, axis, (shape[axis] ?? 0) - 1 + (index[axis] ?? 0) * step)),
    };
  }),
]; // prettier-ignore

const joins: OpProperty[] = [
  {
    name: "stack",
    draws: fc.record({ shape: shapes(0, 3), count: fc.integer({ min: 1, max: 3 }), axis: fc.nat(), seed: fc.nat(1e6) }).map(({ shape, count, axis, seed }) => {
      const to = axis % (shape.length + 1);
      return {
        inputs: Array.from({ length: count }, (_, i) => floats(shape, seed + i)),
        apply: (parts) => stack(parts, to - shape.length - 1),
        expected: (parts) => ndArray(insert(shape, to, count), (index) => at(present(parts[index[to] ?? 0], "a part"), drop(index, to))),
      };
    }),
  },
  ...([["hstack", hstack, 1], ["vstack", vstack, 0], ["dstack", dstack, 2]] as const).map(([name, op, axis]): OpProperty => ({
    name: `${name} of matrices`,
    draws: fc.record({ shape: shapes(3, 3), seed: fc.nat(1e6) }).map(({ shape, seed }) => {
      const size = shape[axis] ?? 0;
      return {
        inputs: [floats(shape, seed), floats(shape, seed + 1)],
        apply: (parts) => op(parts),
        expected: (parts) => ndArray(put(shape, axis, 2 * size), (index) => {
          const i = index[axis] ?? 0;
          return at(present(parts[Math.floor(i / size)], "a part"), put(index, axis, i % size));
        }),
      };
    }),
  })),
  {
    name: "maskedFill",
    draws: fc.record({ both: broadcastingShapes(2), seed: fc.nat(1e6), isTensor: fc.boolean() }).map(({ both: [x = [], mask = []], seed, isTensor }) => ({
      inputs: [floats(x, seed), booleans(mask, seed), floats([], seed + 1)],
      apply: ([a, m, v]) => present(a, "x").maskedFill(present(m, "m"), isTensor ? present(v, "v") : 2.5),
      expected: ([a, m, v]) => ndArray(broadcastShape(x, mask), (index) =>
        broadcastAt(present(m, "m"), index) !== 0 ? (isTensor ? flat(present(v, "v"), 0) : 2.5) : broadcastAt(present(a, "x"), index)),
    })),
  },
  {
    name: "meshgrid",
    draws: fc.record({ sizes: fc.array(fc.nat(4), { minLength: 1, maxLength: 3 }), which: fc.nat(), isXy: fc.boolean(), seed: fc.nat(1e6) }).map(({ sizes, which, isXy, seed }) => {
      const one = which % sizes.length;
      const swap = isXy && sizes.length > 1;
      const shape = swap ? [sizes[1] ?? 0, sizes[0] ?? 0, ...sizes.slice(2)] : sizes;
      const axis = swap && one < 2 ? 1 - one : one;
      return {
        inputs: sizes.map((size, i) => floats([size], seed + i, {})).map((input, i): PropertyInput => ({ ...input, hasGradient: i === one })),
        apply: (vectors) => present(meshgrid(vectors, { indexing: isXy ? "xy" : "ij" })[one], "a grid"),
        expected: (vectors) => ndArray(shape, (index) => at(present(vectors[one], "a vector"), [index[axis] ?? 0])),
      };
    }),
  },
  {
    name: "cartesianProd",
    draws: fc.record({ m: fc.nat(4), n: fc.nat(4), seed: fc.nat(1e6) }).map(({ m, n, seed }) => ({
      inputs: [floats([m], seed), floats([n], seed + 1)],
      apply: (vectors) => cartesianProd(...vectors),
      expected: ([a, b]) => ndArray([m * n, 2], ([row = 0, column]) => (column === 0 ? flat(present(a, "a"), Math.floor(row / n)) : flat(present(b, "b"), row % n))),
    })),
  },
]; // prettier-ignore

interface Patches {
  readonly kernel: [number, number];
  readonly stride: [number, number];
  readonly dilation: [number, number];
  readonly padding: [number, number];
  readonly image: [number, number];
  readonly counts: [number, number];
  readonly batch: number;
  readonly channels: number;
  readonly seed: number;
}

const pair = (min: number, max: number): fc.Arbitrary<[number, number]> =>
  fc.tuple(fc.integer({ min, max }), fc.integer({ min, max }));

const patches: fc.Arbitrary<Patches> = fc
  .record({ kernel: pair(1, 3), stride: pair(1, 2), dilation: pair(1, 2), padding: pair(0, 1), image: pair(3, 6), batch: fc.integer({ min: 1, max: 2 }), channels: fc.integer({ min: 1, max: 2 }), seed: fc.nat(1e6) })
  .map((draw) => {
    const count = (i: 0 | 1): number => Math.floor((draw.image[i] + 2 * draw.padding[i] - draw.dilation[i] * (draw.kernel[i] - 1) - 1) / draw.stride[i]) + 1;
    return { ...draw, counts: [count(0), count(1)] as [number, number] };
  })
  .filter(({ counts }) => counts[0] > 0 && counts[1] > 0); // prettier-ignore

/** Calls `visit` with each place of the columns and the place of the image that it shows; outside of it too. */
function eachPatch(draw: Patches, visit: (row: number, column: number, place: number[]) => void): void {
  const { kernel, stride, dilation, padding, counts, channels } = draw;
  ndArray([channels, ...kernel, ...counts], ([c = 0, p = 0, q = 0, i = 0, j = 0]) => {
    const place = [c, i * stride[0] + p * dilation[0] - padding[0], j * stride[1] + q * dilation[1] - padding[1]];
    visit((c * kernel[0] + p) * kernel[1] + q, i * counts[1] + j, place);
    return 0;
  });
}

const windows: OpProperty[] = [
  {
    name: "unfold of images",
    draws: patches.map((draw) => ({
      inputs: [floats([draw.batch, draw.channels, ...draw.image], draw.seed)],
      apply: ([x]) => unfold(present(x, "x"), draw.kernel, draw),
      expected: ([x]) => {
        const found = new Map<string, number[]>();
        eachPatch(draw, (row, column, place) => found.set(`${row},${column}`, place));
        const shape = [draw.batch, draw.channels * product(draw.kernel), product(draw.counts)];
        return ndArray(shape, ([b = 0, row, column]) => {
          const value = at(present(x, "x"), [b, ...(found.get(`${row},${column}`) ?? [])]);
          return Number.isNaN(value) ? 0 : value;
        });
      },
    })),
  },
  {
    name: "fold",
    draws: patches.map((draw) => ({
      inputs: [floats([draw.batch, draw.channels * product(draw.kernel), product(draw.counts)], draw.seed)],
      apply: ([x]) => fold(present(x, "x"), draw.image, draw.kernel, draw),
      expected: ([x]) => {
        const out = ndArray([draw.batch, draw.channels, ...draw.image], () => 0);
        for (let b = 0; b < draw.batch; b++) {
          eachPatch(draw, (row, column, [c = 0, i = 0, j = 0]) => {
            if (i < 0 || j < 0 || i >= draw.image[0] || j >= draw.image[1]) return;
            const to = rowMajor(out.shape, [b, c, i, j]);
            out.data[to] = (out.data[to] ?? 0) + at(present(x, "x"), [b, row, column]);
          });
        }
        return out;
      },
    })),
  },
]; // prettier-ignore

const writes: OpProperty[] = [
  {
    name: "sliceScatter",
    draws: fc.record({ shape: shapes(1, 3), a: fc.nat(), start: fc.nat(4), step: fc.integer({ min: 1, max: 3 }), seed: fc.nat(1e6) }).map(({ shape, a, start, step, seed }) => {
      const axis = a % shape.length;
      const size = Math.max(0, Math.ceil(((shape[axis] ?? 0) - start) / step));
      return {
        inputs: [floats(shape, seed), floats(put(shape, axis, size), seed + 1)],
        apply: ([x, s]) => present(x, "x").sliceScatter(present(s, "s"), axis, start, null, step),
        expected: ([x, s]) => ndArray(shape, (index) => {
          const i = (index[axis] ?? 0) - start;
          return i >= 0 && i % step === 0 ? at(present(s, "s"), put(index, axis, i / step)) : at(present(x, "x"), index);
        }),
      };
    }),
  },
  {
    name: "selectScatter",
    draws: fc.record({ shape: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }), a: fc.nat(), seed: fc.nat(1e6) }).map(({ shape, a, seed }) => {
      const axis = a % shape.length;
      const index = (seed % (shape[axis] ?? 1)) - (shape[axis] ?? 1);
      return {
        inputs: [floats(shape, seed), floats(drop(shape, axis), seed + 1)],
        apply: ([x, s]) => present(x, "x").selectScatter(present(s, "s"), axis, index),
        expected: ([x, s]) => ndArray(shape, (place) => (place[axis] === index + (shape[axis] ?? 0) ? at(present(s, "s"), drop(place, axis)) : at(present(x, "x"), place))),
      };
    }),
  },
  {
    name: "diagonalScatter",
    draws: fc.record({ shape: shapes(3, 3), offset: fc.integer({ min: -3, max: 3 }), seed: fc.nat(1e6) }).map(({ shape, offset, seed }) => {
      const [m = 0, n = 0, k = 0] = shape;
      const length = Array.from({ length: m }, (_, row) => row + offset).filter((column) => column >= 0 && column < k).length;
      return {
        inputs: [floats(shape, seed), floats([n, length], seed + 1)],
        apply: ([x, s]) => present(x, "x").diagonalScatter(present(s, "s"), { offset, dim1: 0, dim2: 2 }),
        expected: ([x, s]) => ndArray(shape, (index) => {
          const [row = 0, other = 0, column = 0] = index;
          return column - row === offset ? at(present(s, "s"), [other, Math.min(row, column)]) : at(present(x, "x"), index);
        }),
      };
    }),
  },
]; // prettier-ignore

testProperties([...views, ...joins, ...windows, ...writes], { runs: 10, webGpuRuns: 1 });

function onDevice(run: () => void | Promise<void>): () => Promise<void> {
  return async () => {
    const runtime: Runtime = deviceRuntime();
    setDefaultRuntime(runtime);
    try {
      await run();
    } finally {
      setDefaultRuntime(null);
      runtime.destroy();
    }
  };
}

const list = async (x: Tensor): Promise<number[]> => [...(await x.data())];

test("ranges count up and down, may be empty, and end where they should", onDevice(async () => {
  expect(await list(arange(4))).toEqual([0, 1, 2, 3]);
  expect(await list(arange(5, 0, -2))).toEqual([5, 3, 1]);
  expect(arange(3, 3).shape).toEqual([0]);
  expect(arange(0).dtype).toBe("int32");
  expect(await list(arange(3, { dtype: "float32" }))).toEqual([0, 1, 2]);
  expect(await list(arange(-1, 1, 0.1))).toEqual(Array.from({ length: 20 }, (_, i) => Math.fround(-1 + i * 0.1)));
  expect(await list(linspace(0, 1, 5))).toEqual([0, 0.25, 0.5, 0.75, 1]);
  expect(await list(linspace(2, 3, 1))).toEqual([2]);
  expect((await list(linspace(-0.3, 0.7, 11))).at(-1)).toBe(Math.fround(0.7));
  expect(await list(logspace(0, 3, 4))).toEqual([1, 10, 100, 1000]);
  expect(await list(logspace(0, 3, 4, { base: 2 }))).toEqual([1, 2, 4, 8]);
  expect(() => arange(0, 1, 0)).toThrow(OptionError);
  expect(() => arange(0, Infinity)).toThrow(OptionError);
  expect(() => linspace(0, 1, -1)).toThrow(OptionError);
})); // prettier-ignore

test("tensors like others have their shape and dtype", onDevice(async () => {
  const x = tensor({ shape: [2], data: Int32Array.of(5, 6) });
  expect([zerosLike(x).dtype, await list(onesLike(x)), await list(fullLike(x, 7))]).toEqual(["int32", [1, 1], [7, 7]]);
  expect(zerosLike(x, { dtype: "float32" }).dtype).toBe("float32");
  expect([full([2], true).dtype, await list(eye(2, 3))]).toEqual(["bool", [1, 0, 0, 0, 1, 0]]);
  expect(asTensor(x)).toBe(x);
  expect([asTensor(x, { dtype: "float32" }).dtype, asTensor([1, 2]).shape]).toEqual(["float32", [2]]);
  expect(zeros([0, 3]).sum().shape).toEqual([]);
  expect(() => tensor([[1, 2], [3]])).toThrow(ShapeError);
  expect(() => tensor([[1, 2], 3])).toThrow(ShapeError);
  expect(() => zeros([-1])).toThrow(OptionError);
})); // prettier-ignore

test("triangles' indices, broadcasting and columns", onDevice(async () => {
  expect(await list(trilIndices(2, 3, 1))).toEqual([0, 0, 1, 1, 1, 0, 1, 0, 1, 2]);
  expect(await list(triuIndices(2, 3, 1))).toEqual([0, 0, 1, 1, 2, 2]);
  expect(trilIndices(0, 3).shape).toEqual([2, 0]);
  const [a, b] = broadcastTensors(tensor([1, 2]), tensor([[1], [2], [3]])) as [Tensor, Tensor];
  expect([a.shape, b.shape]).toEqual([[3, 2], [3, 2]]);
  expect(await list(columnStack([tensor([1, 2]), tensor([3, 4])]))).toEqual([1, 3, 2, 4]);
  expect(await list(hstack([tensor(1), tensor([2, 3])]))).toEqual([1, 2, 3]);
  expect(dstack([tensor([1, 2])]).shape).toEqual([1, 2, 1]);
  expect(tensor([[1, 2]]).expandAs(b).shape).toEqual([3, 2]);
  expect(b.view(2, -1).viewAs(b).permute(1, 0).shape).toEqual([2, 3]);
  expect(b.t().shape).toEqual([2, 3]);
  expect(b.swapaxes(0, 1).broadcastTo([4, 2, 3]).shape).toEqual([4, 2, 3]);
})); // prettier-ignore

test("bad axes, sizes and options are refused", onDevice(() => {
  const x = tensor([[1, 2, 3], [4, 5, 6]]);
  expect(() => x.movedim([0, 1], [0])).toThrow(OptionError);
  expect(() => x.roll([1, 2], [0])).toThrow(OptionError);
  expect(() => x.rot90(1, [0, 0])).toThrow(OptionError);
  expect(() => x.diagonal({ dim1: 0, dim2: -2 })).toThrow(OptionError);
  expect(() => tensor([1]).diagonal()).toThrow(ShapeError);
  expect(() => x.unsqueeze(0).diag()).toThrow(ShapeError);
  expect(() => x.unsqueeze(0).trace()).toThrow(ShapeError);
  expect(() => x.unsqueeze(0).t()).toThrow(ShapeError);
  expect(() => x.unflatten(1, [2, -1])).toThrow(ShapeError);
  expect(() => x.flatten(1, 0)).toThrow(OptionError);
  expect(() => x.split([1, 3], 1)).toThrow(ShapeError);
  expect(() => x.split(0)).toThrow(OptionError);
  expect(() => x.tensorSplit(0)).toThrow(OptionError);
  expect(() => x.chunk(0)).toThrow(OptionError);
  expect(() => x.repeat(2)).toThrow(OptionError);
  expect(() => x.repeatInterleave([1, 2], 1)).toThrow(OptionError);
  expect(() => x.unfold(1, 4)).toThrow(ShapeError);
  expect(() => x.unfold(1, 0)).toThrow(OptionError);
  expect(() => x.narrow(1, -4, 1)).toThrow(ShapeError);
  expect(() => x.maskedFill(x, x)).toThrow(ShapeError);
  expect(() => x.sliceScatter(x, 1, 1)).toThrow(ShapeError);
  expect(() => x.selectScatter(tensor([1, 2]), 1, 3)).toThrow(OptionError);
  expect(() => stack([x, x.t()])).toThrow(ShapeError);
  expect(() => meshgrid([x])).toThrow(ShapeError);
  expect(() => meshgrid([], { indexing: "yx" as "xy" })).toThrow(OptionError);
  expect(() => unfold(x, 2)).toThrow(ShapeError);
  expect(() => unfold(x.unsqueeze(0), 3)).toThrow(ShapeError);
  expect(() => fold(x, 4, 2)).toThrow(ShapeError);
  expect(() => cartesianProd()).toThrow(OptionError);
  expect(() => columnStack([])).toThrow(OptionError);
})); // prettier-ignore
