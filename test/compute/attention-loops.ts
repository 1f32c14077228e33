/** What a node of attention means, in loops over float64: from queries, keys, values and what arrives alone. */
import { pairInputs } from "../../src/compute/compiler/infer-attention.ts";
import type { Node } from "../../src/compute/compiler/ir.ts";

/** The element of input number i at an index. */
export type ReadInput = (input: number, index: readonly number[]) => number;

/** The elements of `node`, row-major. */
export function attentionInLoops(node: Node, read: ReadInput): number[] {
  const { primitive, inputs } = node;
  if (primitive.kind !== "attention") return [];
  const [batch = 0, group = 0, queries = 0, depth = 0] = inputs[0]?.shape ?? [];
  const [keys, width] = [inputs[1]?.shape[1] ?? 0, inputs[2]?.shape[2] ?? 0];
  const { mask, factor } = pairInputs(node);
  const extra = (x: Node | null, index: readonly number[], otherwise: number): number => {
    if (x === null) return otherwise;
    return read(inputs.lastIndexOf(x), index.map((i, axis) => (x.shape[axis] === 1 ? 0 : i))); // prettier-ignore
  };
  const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  const isSeen = (index: readonly number[]): boolean => {
    const [, , t = 0, s = 0] = index;
    if (primitive.causal && s > t + primitive.offset) return false;
    return mask?.dtype === "bool" ? extra(mask, index, 1) !== 0 : extra(mask, index, 0) > -5e29;
  };
  const forQuery = (b: number, g: number, t: number): Query => {
    const scores = range(keys).map((s) => {
      const product = sum(range(depth).map((d) => read(0, [b, g, t, d]) * read(1, [b, s, d])));
      const added = mask?.dtype === "float32" ? extra(mask, [b, g, t, s], 0) : 0;
      return isSeen([b, g, t, s]) ? product * primitive.scale + added : -Infinity;
    });
    const highest = Math.max(...scores);
    const logSum = highest === -Infinity ? 1e30 : highest + Math.log(sum(scores.map((x) => Math.exp(x - highest))));
    const weights = scores.map((score) => (score === -Infinity ? 0 : Math.exp(score - logSum)));
    const factors = range(keys).map((s) => extra(factor, [b, g, t, s], 1));
    const result = range(width).map((e) => sum(weights.map((w, s) => w * (factors[s] ?? 0) * read(2, [b, s, e]))));
    if (primitive.part === "forward") return { logSum, weights, factors, result, slopes: [], dot: 0 };
    const dot = sum(result.map((o, e) => o * read(3, [b, g, t, e])));
    const slopes = weights.map((weight, s) => {
      const arrived = sum(range(width).map((e) => read(3, [b, g, t, e]) * read(2, [b, s, e])));
      return weight * (arrived * (factors[s] ?? 0) - dot);
    });
    return { logSum, weights, factors, result, slopes, dot };
  };
  const heads = range(batch).map((b) => range(group).map((g) => range(queries).map((t) => forQuery(b, g, t))));
  const all = heads.flatMap((groups, b) => groups.flatMap((rows, g) => rows.map((row, t) => ({ b, g, t, ...row }))));
  switch (primitive.part) {
    case "forward":
      return all.flatMap(({ result, logSum }) => [...result, logSum]);
    case "gradQuery":
      return all.flatMap(({ b, slopes, logSum, dot }) => [
        ...range(depth).map((d) => primitive.scale * sum(slopes.map((slope, s) => slope * read(1, [b, s, d])))),
        logSum,
        dot,
      ]);
    case "gradKeyValue":
      return range(batch).flatMap((b) =>
        range(keys).flatMap((s) => {
          const rows = all.filter((row) => row.b === b);
          const key = (d: number): number =>
            primitive.scale * sum(rows.map(({ g, t, slopes }) => (slopes[s] ?? 0) * read(0, [b, g, t, d])));
          const value = (e: number): number =>
            sum(
              rows.map(({ g, t, weights, factors }) => (weights[s] ?? 0) * (factors[s] ?? 0) * read(3, [b, g, t, e])),
            );
          return [...range(depth).map(key), ...range(width).map(value)];
        }),
      );
    case "gradMask": {
      const shape = mask?.shape ?? [];
      const out = new Array<number>(shape.reduce((a, b) => a * b, 1)).fill(0);
      for (const { b, g, t, slopes } of all) {
        for (const [s, slope] of slopes.entries()) {
          const index = [b, g, t, s].map((i, axis) => (shape[axis] === 1 ? 0 : i));
          const place = index.reduce((flat, i, axis) => flat * (shape[axis] ?? 1) + i, 0);
          out[place] = (out[place] ?? 0) + slope;
        }
      }
      return out;
    }
  }
}

interface Query {
  readonly logSum: number;
  readonly weights: readonly number[];
  readonly factors: readonly number[];
  readonly result: readonly number[];
  readonly slopes: readonly number[];
  readonly dot: number;
}
