/** Products of vectors, matrices and tensors against plain sums. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { present } from "../../../../src/base/assert.ts";
import { OptionError, ShapeError } from "../../../../src/base/errors.ts";
import { tensor } from "../../../../src/compute/tensor/create.ts";
import { cdist } from "../../../../src/compute/tensor/ops/cdist.ts";
import { einsum } from "../../../../src/compute/tensor/ops/einsum.ts";
import { multiDot } from "../../../../src/compute/tensor/ops/multi-dot.ts";
import { tensordot } from "../../../../src/compute/tensor/ops/tensordot.ts";
import { setDefaultRuntime } from "../../../../src/compute/tensor/runtime-scope.ts";
import type { Tensor } from "../../../../src/compute/tensor/tensor.ts";
import { deviceRuntime } from "../test-runtimes.ts";
import { booleans, broadcastingShapes, floats, integers, size, shapes } from "./draws.ts";
import { at, broadcastAt, broadcastShape, type NdArray, ndArray } from "./nd-array.ts";
import { type OpDraw, type OpProperty, testProperties } from "./op-property.ts";

const seeds = fc.nat(1e6);
const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const sum = (values: number[]): number => values.reduce((a, b) => a + b, 0);

/**
 * einsum by its definition: a loop over all values of all letters. `text` has explicit axes: "..." is written as the
 * letters that it stands for, capitals from the end, and `output` too.
 */
function plainEinsum(terms: readonly string[], output: string, arrays: readonly NdArray[]): NdArray {
  const sizes = new Map<string, number>();
  terms.forEach((term, i) => [...term].forEach((letter, axis) => {
    const own = arrays[i]?.shape[axis] ?? 1;
    if ((sizes.get(letter) ?? 1) === 1) sizes.set(letter, own);
  }));
  const letters = [...sizes.keys()];
  const rest = letters.filter((letter) => !output.includes(letter));
  return ndArray([...output].map((letter) => sizes.get(letter) ?? 1), (index) => {
    let total = 0;
    ndArray(rest.map((letter) => sizes.get(letter) ?? 1), (inner) => {
      const value = (letter: string): number => (output.includes(letter) ? index[output.indexOf(letter)] : inner[rest.indexOf(letter)]) ?? 0;
      total += terms.reduce((product, term, i) => {
        const x = present(arrays[i], "an operand");
        return product * at(x, [...term].map((letter, axis) => (x.shape[axis] === 1 ? 0 : value(letter))));
      }, 1);
      return 0;
    });
    return total;
  });
} // prettier-ignore

/** Random equations of one to four operands, some with "...", repeated letters, lone letters and axes of size 1. */
const einsums: OpProperty = {
  name: "einsum",
  draws: fc
    .record({
      terms: fc.array(fc.record({ letters: fc.array(fc.constantFrom("a", "b", "c", "d"), { maxLength: 3 }), dots: fc.nat(1), isFirst: fc.boolean() }), { minLength: 1, maxLength: 4 }),
      sizes: fc.tuple(size, size, size, size, fc.integer({ min: 1, max: 3 })),
      ones: fc.array(fc.nat(5), { minLength: 12, maxLength: 12 }),
      kept: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
      explicit: fc.boolean(),
      reversed: fc.boolean(),
      seed: seeds,
    })
    .map(({ terms, sizes, ones, kept, explicit, reversed, seed }): OpDraw => {
      const sizeOf = (letter: string): number => sizes["abcdZ".indexOf(letter)] ?? 1;
      const written = terms.map(({ letters, dots, isFirst }) => (dots === 0 ? letters.join("") : isFirst ? `...${letters.join("")}` : `${letters.join("")}...`));
      const plain = written.map((term) => term.replace("...", "Z"));
      const used = "abcd".split("").filter((letter) => plain.some((term) => term.includes(letter)));
      const single = used.filter((letter) => sum(plain.map((term) => term.split(letter).length - 1)) === 1);
      const hasDots = plain.some((term) => term.includes("Z"));
      const chosen = used.filter((_, i) => kept[i]);
      const output = explicit ? [...(reversed ? chosen.reverse() : chosen), ...(hasDots ? ["Z"] : [])] : [...(hasDots ? ["Z"] : []), ...single];
      const shapeOf = (term: string, i: number): number[] => [...term].map((letter, axis) =>
        // Axes of size 1 broadcast, but not on a diagonal.
        ones[i * 3 + Math.min(axis, 2)] === 0 && term.split(letter).length === 2 && sizeOf(letter) > 0 ? 1 : sizeOf(letter));
      const equation = `${written.join(",")}${explicit ? ` -> ${output.join("").replace("Z", "...")}` : ""}`;
      return {
        inputs: plain.map((term, i) => floats(shapeOf(term, i), seed + i)),
        apply: (tensors) => einsum(equation, ...tensors),
        expected: (arrays) => plainEinsum(plain, output.join(""), arrays),
      };
    }),
}; // prettier-ignore

/** A property of tensors of the given shapes, drawn from sizes m, k, n and b. */
function sized(
  name: string,
  shapesOf: (sizes: { m: number; k: number; n: number; b: number }) => number[][],
  apply: (tensors: readonly Tensor[]) => Tensor,
  expected: (arrays: readonly NdArray[], sizes: { m: number; k: number; n: number; b: number }) => NdArray,
): OpProperty {
  return {
    name,
    draws: fc.record({ m: size, k: size, n: size, b: size, seed: seeds }).map(({ seed, ...sizes }) => ({
      inputs: shapesOf(sizes).map((shape, i) => floats(shape, seed + i)),
      apply,
      expected: (arrays) => expected(arrays, sizes),
    })),
  };
}

type Three = readonly [Tensor, Tensor, Tensor];
type ThreeArrays = readonly [NdArray, NdArray, NdArray];
const three = (tensors: readonly Tensor[]): Three => tensors as unknown as Three;
const threeArrays = (arrays: readonly NdArray[]): ThreeArrays => arrays as unknown as ThreeArrays;

const byRank: OpProperty[] = [
  sized("dot", ({ k }) => [[k], [k]], (t) => three(t)[0].dot(three(t)[1]), (a) => plainEinsum(["a", "a"], "", a)),
  sized("outer", ({ m, n }) => [[m], [n]], (t) => three(t)[0].outer(three(t)[1]), (a) => plainEinsum(["a", "b"], "ab", a)),
  sized("mv", ({ m, k }) => [[m, k], [k]], (t) => three(t)[0].mv(three(t)[1]), (a) => plainEinsum(["ab", "b"], "a", a)),
  sized("mm", ({ m, k, n }) => [[m, k], [k, n]], (t) => three(t)[0].mm(three(t)[1]), (a) => plainEinsum(["ab", "bc"], "ac", a)),
  sized("bmm", ({ m, k, n, b }) => [[b, m, k], [b, k, n]], (t) => three(t)[0].bmm(three(t)[1]), (a) => plainEinsum(["abc", "acd"], "abd", a)),
  sized("inner", ({ m, k, n, b }) => [[m, b, k], [n, k]], (t) => three(t)[0].inner(three(t)[1]), (a) => plainEinsum(["abc", "dc"], "abd", a)),
  sized("tensordot of a number of axes", ({ m, k, n, b }) => [[m, k, b], [k, b, n]], (t) => tensordot(three(t)[0], three(t)[1]), (a) => plainEinsum(["abc", "bcd"], "ad", a)),
  sized("tensordot of lists of axes", ({ m, k, n, b }) => [[m, k, b], [n, b, k]], (t) => tensordot(three(t)[0], three(t)[1], [[1, -1], [2, 1]]), (a) => plainEinsum(["abc", "dcb"], "ad", a)),
  sized("addmm", ({ m, k, n }) => [[n], [m, k], [k, n]], (t) => three(t)[0].addmm(three(t)[1], three(t)[2], { alpha: 0.5, beta: 2 }), (a) => added(a, "ab", "bc", "ac")),
  sized("addmv", ({ m, k }) => [[m], [m, k], [k]], (t) => three(t)[0].addmv(three(t)[1], three(t)[2], { alpha: 0.5, beta: 2 }), (a) => added(a, "ab", "b", "a")),
  sized("addr", ({ m, n }) => [[m, n], [m], [n]], (t) => three(t)[0].addr(three(t)[1], three(t)[2], { alpha: 0.5, beta: 2 }), (a) => added(a, "a", "b", "ab")),
  sized("baddbmm", ({ m, k, n, b }) => [[b, m, n], [b, m, k], [b, k, n]], (t) => three(t)[0].baddbmm(three(t)[1], three(t)[2], { alpha: 0.5, beta: 2 }), (a) => added(a, "abc", "acd", "abd")),
  sized("addbmm", ({ m, k, n, b }) => [[m, n], [b, m, k], [b, k, n]], (t) => three(t)[0].addbmm(three(t)[1], three(t)[2], { alpha: 0.5, beta: 2 }), (a) => added(a, "abc", "acd", "bd")),
  sized("multiDot", ({ m, k, n, b }) => [[m, k], [k, n], [n, b], [b, 2]], (t) => multiDot(t), (a) => plainEinsum(["ab", "bc", "cd", "de"], "ae", a)),
  sized("multiDot of a row, a matrix and a column", ({ m, k }) => [[m], [m, k], [k]], (t) => multiDot(t), (a) => plainEinsum(["a", "ab", "b"], "", a)),
  sized("matrixPower", ({ b, m }) => [[b, m, m]], ([x]) => present(x, "x").matrixPower(5), ([x], { b, m }) => {
    const one = ndArray([b, m, m], ([, i, j]) => Number(i === j));
    return range(5).reduce((power) => plainEinsum(["abc", "acd"], "abd", [power, present(x, "x")]), one);
  }),
]; // prettier-ignore

function added(arrays: readonly NdArray[], left: string, right: string, output: string): NdArray {
  const [input, a, b] = threeArrays(arrays);
  const product = plainEinsum([left, right], output, [a, b]);
  return ndArray(product.shape, (index) => 2 * broadcastAt(input, index) + 0.5 * at(product, index));
}

const others: OpProperty[] = [
  {
    name: "matmul of integers is exact",
    draws: fc.record({ m: size, k: size, n: size, b: size, seed: seeds }).map(({ m, k, n, b, seed }) => ({
      inputs: [integers([b, m, k], seed, -4000, 4000), integers([b, k, n], seed + 1, -4000, 4000)],
      apply: ([x, y]) => present(x, "x").matmul(present(y, "y")),
      expected: (arrays) => plainEinsum(["abc", "acd"], "abd", arrays),
    })),
  },
  {
    name: "einsum of integers and booleans",
    draws: fc.record({ m: size, k: size, n: size, seed: seeds }).map(({ m, k, n, seed }) => ({
      inputs: [integers([m, k], seed, -9, 9), booleans([k, n], seed + 1)],
      apply: (tensors) => einsum("ik,kj->ji", tensors),
      expected: (arrays) => plainEinsum(["ab", "bc"], "ca", arrays),
    })),
  },
  {
    name: "kron",
    draws: fc.record({ a: shapes(0, 3), b: shapes(0, 2), seed: seeds }).map(({ a, b, seed }) => {
      const rank = Math.max(a.length, b.length);
      const pad = (shape: number[]): number[] => [...Array.from({ length: rank - shape.length }, () => 1), ...shape];
      const [left, right] = [pad(a), pad(b)];
      return {
        inputs: [floats(a, seed), floats(b, seed + 1)],
        apply: ([x, y]) => present(x, "x").kron(present(y, "y")),
        expected: ([x, y]) => ndArray(left.map((n, axis) => n * (right[axis] ?? 1)), (index) => {
          const outer = index.map((i, axis) => Math.floor(i / (right[axis] ?? 1))).slice(rank - a.length);
          return at(present(x, "x"), outer) * at(present(y, "y"), index.map((i, axis) => i % (right[axis] ?? 1)).slice(rank - b.length));
        }),
      };
    }),
  },
  {
    name: "cross",
    draws: fc.record({ both: broadcastingShapes(2), axis: fc.nat(3), seed: seeds }).map(({ both: [a = [], b = []], axis, seed }) => {
      // An axis of size 3, at the same place from the end.
      const place = -1 - (axis % (Math.min(a.length, b.length) + 1));
      const withThree = (shape: number[]): number[] => [...shape.slice(0, shape.length + place + 1), 3, ...shape.slice(shape.length + place + 1)];
      const [left, right] = [withThree(a), withThree(b)];
      const out = broadcastShape(left, right);
      return {
        inputs: [floats(left, seed), floats(right, seed + 1)],
        apply: ([x, y]) => present(x, "x").cross(present(y, "y"), place),
        expected: ([x, y]) => ndArray(out, (index) => {
          const along = out.length + place;
          const element = (array: NdArray | undefined, step: number): number =>
            broadcastAt(present(array, "an operand"), index.map((i, k) => (k === along ? (i + step) % 3 : i)));
          return element(x, 1) * element(y, 2) - element(x, 2) * element(y, 1);
        }),
      };
    }),
  },
  ...[0.7, 1, 2, 3, Infinity].map((p): OpProperty => ({
    name: `cdist with p = ${p}`,
    draws: fc.record({ m: size, n: size, d: fc.integer({ min: 1, max: 4 }), batch: fc.boolean(), seed: seeds }).map(({ m, n, d, batch, seed }) => {
      const lead = batch ? [2] : [];
      return {
        // Far apart: no difference is near 0, where powers bend.
        inputs: [floats([...lead, m, d], seed, { low: 0, high: 1 }), floats([n, d], seed + 1, { low: 1.3, high: 3 })],
        apply: ([x, y]) => cdist(present(x, "x"), present(y, "y"), { p }),
        expected: ([x, y]) => ndArray([...lead, m, n], (index) => {
          const [i = 0, j = 0] = index.slice(-2);
          const gaps = range(d).map((k) => Math.abs(at(present(x, "x"), [...index.slice(0, -2), i, k]) - at(present(y, "y"), [j, k])));
          return p === Infinity ? Math.max(...gaps) : sum(gaps.map((gap) => gap ** p)) ** (1 / p);
        }),
      };
    }),
  })),
  {
    name: "cov",
    draws: fc.record({ v: fc.integer({ min: 1, max: 4 }), n: fc.integer({ min: 3, max: 6 }), weighted: fc.nat(3), correction: fc.nat(1), seed: seeds }).map(({ v, n, weighted, correction, seed }) => {
      const [hasCounts, hasWeights] = [weighted % 2 === 1, weighted > 1];
      return {
        inputs: [floats([v, n], seed), integers([n], seed + 1, 1, 4), floats([n], seed + 2, { low: 0.5, high: 1.5 })],
        apply: ([x, f, a]) => present(x, "x").cov({ correction, ...(hasCounts ? { fweights: present(f, "f") } : {}), ...(hasWeights ? { aweights: present(a, "a") } : {}) }),
        expected: ([x, f, a]) => {
          const row = (i: number): number[] => range(n).map((j) => at(present(x, "x"), [i, j]));
          const importance = range(n).map((j) => (hasWeights ? at(present(a, "a"), [j]) : 1));
          const w = range(n).map((j) => (importance[j] ?? 1) * (hasCounts ? at(present(f, "f"), [j]) : 1));
          const mean = (list: number[]): number => sum(list.map((value, j) => value * (w[j] ?? 0))) / sum(w);
          const lost = (correction * sum(w.map((value, j) => value * (importance[j] ?? 1)))) / sum(w);
          return ndArray(v === 1 ? [] : [v, v], ([i = 0, j = 0]) => {
            const [p, q] = [row(i), row(j)];
            return sum(w.map((value, k) => value * ((p[k] ?? 0) - mean(p)) * ((q[k] ?? 0) - mean(q)))) / (sum(w) - lost);
          });
        },
      };
    }),
  },
  {
    name: "corrcoef",
    derivatives: 1, // On the diagonal it is limited to 1, where it stands: slopes there are 0 or not by rounding.
    draws: fc.record({ n: fc.integer({ min: 4, max: 6 }), seed: seeds }).map(({ n, seed }) => ({
      inputs: [floats([3, n], seed)],
      apply: ([x]) => present(x, "x").corrcoef().triu(1),
      expected: ([x]) => ndArray([3, 3], ([i = 0, j = 0]) => {
        if (j <= i) return 0;
        const apart = (r: number): number[] => {
          const row = range(n).map((k) => at(present(x, "x"), [r, k]));
          return row.map((value) => value - sum(row) / n);
        };
        const dot = (p: number[], q: number[]): number => sum(p.map((value, k) => value * (q[k] ?? 0)));
        return dot(apart(i), apart(j)) / Math.sqrt(dot(apart(i), apart(i)) * dot(apart(j), apart(j)));
      }),
    })),
  },
]; // prettier-ignore

testProperties([{ ...einsums }, ...byRank, ...others], { runs: 10, webGpuRuns: 1 });

function onDevice(run: () => void | Promise<void>): () => Promise<void> {
  return async () => {
    const runtime = deviceRuntime();
    setDefaultRuntime(runtime);
    try {
      await run();
    } finally {
      setDefaultRuntime(null);
      runtime.destroy();
    }
  };
}

test("equal rows are at distance 0, and so is its gradient", onDevice(async () => {
  const x = tensor([[1, 2], [1, 2]], { requiresGrad: true });
  const distance = cdist(x, x);
  distance.sum().backward();
  expect([...(await distance.data())]).toEqual([0, 0, 0, 0]);
  expect([...(await present(x.grad, "a gradient").data())]).toEqual([0, 0, 0, 0]);
  expect([...(await cdist(tensor([[1, 2]]), tensor([[1, 5], [0, 0]]), { p: 0 }).data())]).toEqual([1, 2]);
})); // prettier-ignore

test("what is no equation is refused, and so are axes that do not fit", onDevice(() => {
  const x = tensor([[1, 2, 3], [4, 5, 6]]);
  expect(() => einsum("ij->k", x)).toThrow(/output letters that an operand has \(k is none\)/);
  expect(() => einsum("ij,jk", x)).toThrow(OptionError);
  expect(() => einsum("ij->ii", x)).toThrow(OptionError);
  expect(() => einsum("i1", x)).toThrow(OptionError);
  expect(() => einsum("ij->i->j", x)).toThrow(OptionError);
  expect(() => einsum("......ij", x)).toThrow(OptionError);
  expect(() => einsum("ijk", x)).toThrow(ShapeError);
  expect(() => einsum("i", x)).toThrow(ShapeError);
  expect(() => einsum("ii", x)).toThrow(ShapeError);
  expect(() => einsum("ij,jk", x, x)).toThrow(/axes of one letter to have one size in "ij,jk", found \[2, 3\], \[2, 3\]/);
})); // prettier-ignore

test("shapes that make no product are refused", onDevice(() => {
  const x = tensor([[1, 2, 3], [4, 5, 6]]);
  const v = tensor([1, 2]);
  expect(() => x.dot(v)).toThrow(/dot: expected \[n\] and \[n\], found \[2, 3\] and \[2\]/);
  expect(() => x.mm(x)).toThrow(ShapeError);
  expect(() => x.mv(v)).toThrow(ShapeError);
  expect(() => x.bmm(x)).toThrow(ShapeError);
  expect(() => x.unsqueeze(0).bmm(x.t().expand(2, 3, 2))).toThrow(ShapeError);
  expect(() => x.inner(v)).toThrow(ShapeError);
  expect(() => tensordot(x, x, 3)).toThrow(OptionError);
  expect(() => tensordot(x, x, [[0], [1]])).toThrow(ShapeError);
  expect(() => v.cross(v)).toThrow(ShapeError);
  expect(() => multiDot([x])).toThrow(OptionError);
  expect(() => multiDot([x, x])).toThrow(ShapeError);
  expect(() => x.matrixPower(2)).toThrow(ShapeError);
  expect(() => x.mm(x.t()).matrixPower(-1)).toThrow(OptionError);
  expect(() => cdist(x, x, { p: -1 })).toThrow(OptionError);
  expect(() => cdist(x, v)).toThrow(ShapeError);
  expect(() => x.cov({ aweights: v })).toThrow(ShapeError);
})); // prettier-ignore
