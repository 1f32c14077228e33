/** RNN, GRU and LSTM with drawn weights, against one number after another; rotations, waves and slopes of places. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { Random } from "../../../../src/base/random.ts";
import { OptionError, ShapeError } from "../../../../src/base/errors.ts";
import { zeros } from "../../../../src/compute/tensor/create.ts";
import {
  alibiSlopes,
  applyRotary,
  rotaryEmbedding,
  sinusoidalPositions,
} from "../../../../src/compute/tensor/ops/rotary.ts";
import { setDefaultRuntime } from "../../../../src/compute/tensor/runtime-scope.ts";
import type { Tensor } from "../../../../src/compute/tensor/tensor.ts";
import { withRandom } from "../../../../src/model/nn/init.ts";
import { GRU, LSTM, RNN } from "../../../../src/model/nn/recurrent.ts";
import { deviceRuntime } from "../test-runtimes.ts";
import { floats } from "./draws.ts";
import { at, ndArray, type NdArray } from "./nd-array.ts";
import { type OpDraw, type OpProperty, type PropertyInput, testProperties } from "./op-property.ts";

interface Case {
  readonly kind: "tanh" | "relu" | "gru" | "lstm";
  readonly steps: number;
  readonly batch: number;
  readonly inputs: number;
  readonly width: number;
  readonly layers: number;
  readonly isBoth: boolean;
  readonly batchFirst: boolean;
  readonly hasBias: boolean;
  readonly hasStart: boolean;
  readonly projection: number;
  readonly seed: number;
}

const cases = (kind: Case["kind"]): fc.Arbitrary<Case> =>
  fc.record({
    kind: fc.constant(kind),
    steps: fc.integer({ min: 1, max: 3 }),
    batch: fc.integer({ min: 0, max: 2 }),
    inputs: fc.integer({ min: 1, max: 2 }),
    width: fc.integer({ min: 2, max: 3 }),
    layers: fc.integer({ min: 1, max: 2 }),
    isBoth: fc.boolean(),
    batchFirst: fc.boolean(),
    hasBias: fc.boolean(),
    hasStart: fc.boolean(),
    projection: fc.integer({ min: 0, max: 1 }),
    seed: fc.nat(),
  }).map((c) => ({ ...c, projection: kind === "lstm" ? c.projection : 0 })); // prettier-ignore

const gates = { tanh: 1, relu: 1, gru: 3, lstm: 4 } as const;
const outWidth = (c: Case): number => c.projection || c.width;

/** Names and shapes of the parameters, in PyTorch's words. */
function parameters(c: Case): [string, number[]][] {
  const rows = gates[c.kind] * c.width;
  return Array.from({ length: c.layers }, (_, layer) => layer).flatMap((layer) =>
    (c.isBoth ? ["", "_reverse"] : [""]).flatMap((way): [string, number[]][] => [
      [`weight_ih_l${layer}${way}`, [rows, layer === 0 ? c.inputs : outWidth(c) * (c.isBoth ? 2 : 1)]],
      [`weight_hh_l${layer}${way}`, [rows, outWidth(c)]],
      ...(c.hasBias ? ([[`bias_ih_l${layer}${way}`, [rows]], [`bias_hh_l${layer}${way}`, [rows]]] as [string, number[]][]) : []),
      ...(c.projection > 0 ? ([[`weight_hr_l${layer}${way}`, [c.projection, c.width]]] as [string, number[]][]) : []),
    ]),
  ); // prettier-ignore
}

function drawOf(c: Case): OpDraw {
  const names = parameters(c);
  const count = c.layers * (c.isBoth ? 2 : 1);
  const x = c.batchFirst ? [c.batch, c.steps, c.inputs] : [c.steps, c.batch, c.inputs];
  const inputs: PropertyInput[] = [
    floats(x, c.seed),
    ...names.map(([, shape], i) => floats(shape, c.seed + i + 1, { low: -0.9, high: 0.9 })),
  ];
  if (c.hasStart)
    inputs.push(floats([count, c.batch, outWidth(c)], c.seed + 100), floats([count, c.batch, c.width], c.seed + 101));
  return {
    inputs,
    apply: (tensors) => {
      const options = { numLayers: c.layers, bias: c.hasBias, batchFirst: c.batchFirst, bidirectional: c.isBoth };
      const layer = withRandom(new Random(1), () =>
        c.kind === "gru" ? new GRU(c.inputs, c.width, options)
        : c.kind === "lstm" ? new LSTM(c.inputs, c.width, { ...options, projSize: c.projection })
        : new RNN(c.inputs, c.width, { ...options, nonlinearity: c.kind })); // prettier-ignore
      expect(layer.namedParameters().map(([name, { shape }]) => [name, shape])).toEqual(names);
      Object.assign(layer, Object.fromEntries(names.map(([name], i) => [name, tensors[i + 1]])));
      const [hidden, cell] = tensors.slice(1 + names.length);
      if (layer instanceof LSTM) {
        const found = layer.call(tensors[0] as Tensor, hidden && cell ? { hidden, cell } : {});
        return summary(c, found.output, found.hidden, found.cell);
      }
      const found = layer.call(tensors[0] as Tensor, hidden);
      return summary(c, found.output, found.hidden, found.hidden);
    },
    expected: (arrays) => unrolled(c, names.map(([name]) => name), arrays),
  }; // prettier-ignore
}

/** Outputs [T, N, ..] and last states, so that one tensor has all of it: [T N + L, ..] would mix sizes, so sums of them. */
function summary({ batchFirst }: Case, output: Tensor, hidden: Tensor, cell: Tensor): Tensor {
  const steps = batchFirst ? output.transpose(0, 1) : output;
  return steps.add(hidden.mul(0.5).sum()).add(cell.mul(0.25).sum());
}

/** h and c of one direction of one layer after each step, as arrays of numbers. */
function unrolled(c: Case, names: readonly string[], arrays: readonly NdArray[]): NdArray {
  const [x, ...rest] = arrays as [NdArray, ...NdArray[]];
  const byName = new Map(names.map((name, i) => [name, rest[i] as NdArray]));
  const [h0, c0] = rest.slice(names.length);
  const sigmoid = (v: number): number => 1 / (1 + Math.exp(-v));
  let total = 0;
  const all: number[][][] = [];
  for (let n = 0; n < c.batch; n++) {
    let series = Array.from({ length: c.steps }, (_, t) =>
      Array.from({ length: c.inputs }, (__, i) => at(x, c.batchFirst ? [n, t, i] : [t, n, i])),
    );
    let place = 0;
    for (let layer = 0; layer < c.layers; layer++) {
      const ways = (c.isBoth ? ["", "_reverse"] : [""]).map((way) => {
        const get = (what: string): NdArray | undefined => byName.get(`${what}_l${layer}${way}`);
        const product = (what: string, row: number, v: readonly number[]): number =>
          v.reduce((sum, value, i) => sum + value * at(get(`weight_${what}`) as NdArray, [row, i]), c.hasBias ? at(get(`bias_${what}`) as NdArray, [row]) : 0);
        let h = Array.from({ length: outWidth(c) }, (_, i) => (h0 ? at(h0, [place, n, i]) : 0));
        let memory = Array.from({ length: c.width }, (_, i) => (c0 ? at(c0, [place, n, i]) : 0));
        const out: number[][] = [];
        for (let step = 0; step < c.steps; step++) {
          const t = way === "" ? step : c.steps - 1 - step;
          const input = series[t] as number[];
          const before = h;
          const inner = Array.from({ length: c.width }, (_, i) => {
            const gate = (g: number): number => product("ih", g * c.width + i, input) + product("hh", g * c.width + i, before);
            if (c.kind === "tanh") return Math.tanh(gate(0));
            if (c.kind === "relu") return Math.max(0, gate(0));
            if (c.kind === "gru") {
              const r = sigmoid(gate(0));
              const z = sigmoid(gate(1));
              const fresh = Math.tanh(product("ih", 2 * c.width + i, input) + r * product("hh", 2 * c.width + i, before));
              return (1 - z) * fresh + z * (before[i] as number);
            }
            memory = memory.map((m, j) => (j === i ? sigmoid(gate(1)) * m + sigmoid(gate(0)) * Math.tanh(gate(2)) : m));
            return sigmoid(gate(3)) * Math.tanh(memory[i] as number);
          });
          h = c.projection === 0 ? inner : Array.from({ length: c.projection }, (_, p) =>
            inner.reduce((sum, value, i) => sum + value * at(get("weight_hr") as NdArray, [p, i]), 0));
          out[t] = h;
        }
        total += 0.5 * h.reduce((a, b) => a + b, 0);
        total += 0.25 * (c.kind === "lstm" ? memory : h).reduce((a, b) => a + b, 0);
        place += 1;
        return out;
      });
      series = series.map((_, t) => ways.flatMap((way) => way[t] as number[]));
    }
    all.push(series);
  }
  const shape = [c.steps, c.batch, outWidth(c) * (c.isBoth ? 2 : 1)];
  return ndArray(shape, ([t = 0, n = 0, i = 0]) => (all[n]?.[t]?.[i] ?? Number.NaN) + total);
} // prettier-ignore

const recurrences = (["tanh", "gru", "lstm"] as const).map((kind): OpProperty => ({
  name: kind === "tanh" ? "RNN" : kind.toUpperCase(),
  draws: cases(kind).map(drawOf),
}));

// Where relu bends, finite differences say nothing.
const bent: OpProperty = { name: "RNN with relu", draws: cases("relu").map(drawOf), derivatives: 0 };

const rotary: OpProperty = {
  name: "rotaryEmbedding",
  draws: fc.record({
    lead: fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 2 }),
    steps: fc.integer({ min: 0, max: 4 }),
    half: fc.integer({ min: 1, max: 3 }),
    rest: fc.integer({ min: 0, max: 2 }),
    offset: fc.integer({ min: 0, max: 9 }),
    interleaved: fc.boolean(),
    seed: fc.nat(),
  }).map(({ lead, steps, half, rest, offset, interleaved, seed }) => ({
    inputs: [floats([...lead, steps, 2 * half + rest], seed)],
    apply: ([x]) => rotaryEmbedding(x as Tensor, { base: 100, offset, interleaved, dimensions: 2 * half }),
    expected: ([x]) => ndArray([...lead, steps, 2 * half + rest], (index) => {
      const [t = 0, d = 0] = index.slice(-2);
      const own = at(x as NdArray, index);
      if (d >= 2 * half) return own;
      const [pair, isFirst] = interleaved ? [Math.floor(d / 2), d % 2 === 0] : [d % half, d < half];
      const other = at(x as NdArray, [...index.slice(0, -1), interleaved ? d + (isFirst ? 1 : -1) : d + (isFirst ? half : -half)]);
      const angle = (t + offset) / 100 ** (pair / half);
      return own * Math.cos(angle) + (isFirst ? -1 : 1) * other * Math.sin(angle);
    }),
  })),
}; // prettier-ignore

testProperties([...recurrences, bent, rotary], { runs: 8, webGpuRuns: 1 });

test("positions can be given, and turn what they name", async () => {
  setDefaultRuntime(deviceRuntime());
  const [x, positions] = [zeros([1, 3, 2]).add(1), zeros([3]).add(2)];
  const given = await rotaryEmbedding(x, { positions }).data();
  const counted = await rotaryEmbedding(x, { offset: 2 }).data();
  given.forEach((value, i) => expect(value).toBeCloseTo(counted[i % 2] ?? Number.NaN, 6));
});

test("waves are sin and cos in turn, and slopes those of the paper", async () => {
  setDefaultRuntime(deviceRuntime());
  const waves = await sinusoidalPositions(3, 5, { offset: 4, base: 50 }).data();
  Array.from(waves).forEach((wave, i) => {
    const [t, d] = [4 + Math.floor(i / 5), i % 5];
    const angle = t / 50 ** ((2 * Math.floor(d / 2)) / 5);
    expect(wave).toBeCloseTo(d % 2 === 0 ? Math.sin(angle) : Math.cos(angle), 5);
  });
  expect([...(await alibiSlopes(8).data())]).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((i) => 2 ** -i));
  const odd = [...(await alibiSlopes(3).data())];
  expect(odd).toEqual([2 ** -4, 2 ** -8, 2 ** -2]);
});

test.each([
  ["an odd number of dimensions", () => rotaryEmbedding(zeros([2, 4]), { dimensions: 3 }), OptionError, "rotaryEmbedding: expected an even number of dimensions up to 4, found 3"],
  ["a vector", () => rotaryEmbedding(zeros([4])), ShapeError, "rotaryEmbedding: expected x [.., T, D], found [4]"],
  ["a base of 0", () => rotaryEmbedding(zeros([2, 4]), { base: 0 }), OptionError, "rotaryEmbedding: expected a base above 0, found 0"],
  ["too many angles", () => applyRotary(zeros([2, 4]), zeros([2, 3]), zeros([2, 3])), ShapeError, "applyRotary: expected x [.., D] with cos and sin of at most D / 2 angles, found [2, 4], [2, 3], [2, 3]"],
  ["no head", () => alibiSlopes(0), OptionError, "alibiSlopes: expected at least one head, found 0"],
  ["waves of no size", () => sinusoidalPositions(-1, 2), OptionError, "sinusoidalPositions: expected sizes from 0, found -1 and 2"],
] as const)("places refuse %s in one sentence", (_, call, kind, message) => {
  expect(call).toThrow(kind);
  expect(call).toThrow(message);
}); // prettier-ignore
