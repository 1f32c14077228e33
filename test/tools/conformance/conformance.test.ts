import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { OptionError, UnsupportedError } from "../../../src/base/errors.ts";
import { difference } from "../../../tools/conformance/compare.ts";
import { parseFixtures } from "../../../tools/conformance/fixtures.ts";
import type { AllFixtures, ModelFixture, OpFixture } from "../../../tools/conformance/fixtures.ts";
import { FIXTURE_FILES } from "../../../tools/conformance/folder.ts";
import { LayeredModel } from "../../../tools/conformance/models/layered-model.ts";
import { parseOptions } from "../../../tools/conformance/options.ts";
import { reportOf, runConformance } from "../../../tools/conformance/run-conformance.ts";
import { readSafetensors } from "../../../src/model/safetensors/safetensors-file.ts";
import { Random } from "../../../src/base/random.ts";
import { tensor, zeros } from "../../../src/compute/tensor/create.ts";
import type { Tensor } from "../../../src/compute/tensor/tensor.ts";
import { withRandom } from "../../../src/model/nn/init.ts";
import { withRuntime } from "../../../src/compute/tensor/runtime-scope.ts";
import { deviceRuntime } from "../../compute/tensor/test-runtimes.ts";

const folder = mkdtempSync(join(tmpdir(), "hearth-fixtures-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A safetensors file of float32 vectors. */
function safetensors(tensors: Readonly<Record<string, readonly number[]>>): Uint8Array<ArrayBuffer> {
  let at = 0;
  const entries = Object.entries(tensors).map(([name, values]) => {
    const offsets = [at, (at += values.length * 4)];
    return [name, { dtype: "F32", shape: [values.length], data_offsets: offsets }] as const;
  });
  const header = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const file = new Uint8Array(8 + header.byteLength + at);
  new DataView(file.buffer).setBigUint64(0, BigInt(header.byteLength), true);
  file.set(header, 8);
  const values = Float32Array.from(Object.values(tensors).flat());
  file.set(new Uint8Array(values.buffer), 8 + header.byteLength);
  return file;
}

const json = (cases: readonly unknown[]) => new TextEncoder().encode(JSON.stringify({ cases }));
const none = { cases: [], values: () => ({ shape: [0], data: new Float32Array() }) };

function ops(cases: readonly Partial<OpFixture>[], tensors: Readonly<Record<string, readonly number[]>>): AllFixtures {
  const whole = cases.map((item) => ({ options: {}, rtol: 1e-4, atol: 1e-5, output: "out", ...item }));
  return { ops: parseFixtures<OpFixture>("ops", json(whole), safetensors(tensors)), optimizers: none, models: none };
}

const x = [{ name: "x", dtype: "float32" as const }];

test("a right value passes, a wrong one, a wrong gradient and an op that is not there fail with their reasons", async () => {
  const fixtures = ops(
    [
      { id: "right", op: "square", inputs: x, gradOutput: "g", grads: ["right"] },
      { id: "wrong", op: "square", inputs: x, output: "wrong" },
      { id: "wrong-gradient", op: "square", inputs: x, gradOutput: "g", grads: ["wrong"] },
      { id: "unknown", op: "frobnicate", inputs: x },
      { id: "no-tensor", op: "square", inputs: x, output: "absent" },
    ],
    { x: [1, -2, 3], out: [1, 4, 9], wrong: [1, 4, 9.5], g: [1, 1, 1], right: [2, -4, 6] },
  );
  const seen: string[] = [];
  const report = reportOf(await runConformance(deviceRuntime(), fixtures, ({ id }) => seen.push(id)));
  expect(seen).toEqual(["right", "wrong", "wrong-gradient", "unknown", "no-tensor"]);
  expect(report).toMatchObject({ cases: 5, passed: 1, failed: 4, skipped: 0 });
  expect(report.failures).toEqual([
    { id: "wrong", reason: "wrong[2]: 9 for 9.5 (1 of 3 elements)" },
    { id: "wrong-gradient", reason: expect.stringContaining("wrong[0]: 2 for 1") as string },
    { id: "unknown", reason: "hearth has no frobnicate yet" },
    { id: "no-tensor", reason: expect.stringContaining("a tensor named absent") as string },
  ]);
});

test("a case that says sum and holds the mean is judged as the mean and noted; one that holds neither fails", async () => {
  const inputs = [...x, { name: "y", dtype: "float32" as const }];
  const sum = { op: "l1Loss", inputs, options: { reduction: "sum" } };
  const fixtures = ops(
    [
      { id: "mean", ...sum },
      { id: "sum", ...sum, output: "sum" },
      { id: "neither", ...sum, output: "neither" },
    ],
    { x: [1, 2], y: [2, 4], out: [1.5], sum: [3], neither: [2] },
  );
  const report = reportOf(await runConformance(deviceRuntime(), fixtures));
  expect(report.failures).toEqual([{ id: "neither", reason: "neither[0]: 3 for 2 (1 of 1 elements)" }]);
  expect(report.errata).toEqual([{ id: "mean", note: expect.stringContaining("holds 1.5, the mean") as string }]);
});

const shared = deviceRuntime();
afterAll(() => shared.destroy());

/** A model of layers whose parameters have these shapes. */
function layered(layers: unknown, shapes: Readonly<Record<string, readonly number[]>>): LayeredModel {
  const build = (): LayeredModel => new LayeredModel(layers, new Map(Object.entries(shapes)));
  return withRuntime(shared, () => withRandom(new Random(1), build));
}

test("models of layers take their sizes and names from the parameters, in their order", () => {
  const shapes = {
    "a.weight": [4, 3, 5, 5], "a.bias": [4], "norm.weight": [4], "norm.bias": [4],
    "b.weight": [8, 2, 3, 3], "out.weight": [3, 8], "out.bias": [3],
  }; // prettier-ignore
  const text =
    "conv 3->4 k5 s2 p2 (a remark, with a comma), GroupNorm 2, ReLU, maxpool 2, Conv2d 4->8 k3 g2, global_avg_pool, linear 8->3";
  const model = layered(text, shapes);
  expect(Object.fromEntries(model.namedParameters().map(([name, { shape }]) => [name, shape]))).toEqual(shapes);
  expect(withRuntime(shared, () => model.forward(zeros([2, 3, 16, 16])).shape)).toEqual([2, 3]);
});

test.each<[string, Readonly<Record<string, readonly number[]>>, readonly number[], readonly number[]]>([
  ["conv 1->2 k3 same; bn; leaky_relu 0.1; avgpool k2 stride 1", { "c.weight": [2, 1, 3, 3], "bn.weight": [2], "bn.bias": [2] }, [2, 1, 4, 4], [2, 2, 3, 3]],
  ["conv1d k=3 padding=1 reflect | gelu | flatten", { "c.weight": [2, 3, 3], "c.bias": [2] }, [2, 3, 5], [2, 10]],
  ["convTranspose 3->2 k2 s2, upsample 2, adaptiveavgpool 3x2", { "up.weight": [3, 2, 2, 2] }, [1, 3, 2, 2], [1, 2, 3, 2]],
  ["instancenorm, maxpool (kernel 3, stride 2, ceil), elu", {}, [1, 2, 6, 6], [1, 2, 3, 3]],
  ["embedding 5x4, layernorm, linear 4->2, swish, rmsnorm", { "e.weight": [5, 4], "ln.weight": [4], "ln.bias": [4], "fc.weight": [2, 4], "rms.weight": [2] }, [2, 3], [2, 3, 2]],
  ["unflatten 2x3x3, pad 1, pixelunshuffle 5, dropout 0", {}, [4, 18], [4, 50, 1, 1]],
])("%s", (text, shapes, input, output) => {
  const model = layered(text, shapes);
  const x = (): Tensor => (text.startsWith("embedding") ? zeros(input, { dtype: "int32" }) : zeros(input));
  expect(withRuntime(shared, () => model.forward(x()).shape)).toEqual(output);
}); // prettier-ignore

/** PyTorch's formulas of one step, for width 1 and one input, from the gates' sums of the input and of the hidden state. */
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const STEPS: Readonly<Record<string, (a: number[], b: number[], h: number, c: number) => [number, number]>> = {
  lstm: ([i = 0, f = 0, g = 0, o = 0], [hi = 0, hf = 0, hg = 0, ho = 0], _, c) => {
    const next = sigmoid(f + hf) * c + sigmoid(i + hi) * Math.tanh(g + hg);
    return [sigmoid(o + ho) * Math.tanh(next), next];
  },
  gru: ([r = 0, z = 0, n = 0], [hr = 0, hz = 0, hn = 0], h) => {
    const update = sigmoid(z + hz);
    return [(1 - update) * Math.tanh(n + sigmoid(r + hr) * hn) + update * h, 0];
  },
  rnn: ([a = 0], [b = 0]) => [Math.tanh(a + b), 0],
};

test.each([["lstm", 4], ["gru", 3], ["rnn", 1]] as const)("%s of two layers and both directions is PyTorch's", async (kind, gates) => {
  const names = [0, 1].flatMap((layer) => ["", "_reverse"].map((way) => `l${layer}${way}`));
  const shapes = Object.fromEntries(names.flatMap((name) => [
    [`r.weight_ih_${name}`, [gates, name.startsWith("l0") ? 1 : 2]], [`r.weight_hh_${name}`, [gates, 1]],
    [`r.bias_ih_${name}`, [gates]], [`r.bias_hh_${name}`, [gates]],
  ])) as Record<string, number[]>;
  const model = layered(`${kind} 1->1 (2 layers)`, shapes);
  const state = Object.fromEntries(Object.entries(shapes).map(([name, shape], seed) => {
    const data = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(3 * seed + 5 * i + 1));
    return [name, { shape, data }];
  }));
  model.loadStateDict(state);
  const input = [[0.5], [-1], [2]];
  let rows = input;
  for (const layer of ["l0", "l1"]) {
    const ways = ["", "_reverse"].map((way) => {
      const read = (name: string): number[] => Array.from(state[`r.${name}_${layer}${way}`]?.data ?? []);
      const sums = (row: number[], of: string): number[] =>
        read(`bias_${of}`).map((bias, g) => row.reduce((sum, x, k) => sum + x * (read(`weight_${of}`)[g * row.length + k] ?? 0), bias));
      let [h, c] = [0, 0];
      const order = way === "" ? rows : rows.toReversed();
      const outputs = order.map((row) => ([h, c] = STEPS[kind]?.(sums(row, "ih"), sums([h], "hh"), h, c) ?? [0, 0])[0]);
      return way === "" ? outputs : outputs.reverse();
    });
    rows = rows.map((_, t) => ways.map((outputs) => outputs[t] ?? Number.NaN));
  }
  const y = withRuntime(shared, () => model.forward(tensor({ shape: [1, 3, 1], data: Float32Array.from(input.flat()) })));
  expect(y.shape).toEqual([1, 3, 2]);
  (await y.data()).forEach((value, i) => expect(value).toBeCloseTo(rows.flat()[i] ?? Number.NaN, 5));
}); // prettier-ignore

test("layers may be objects, and what nobody knows is named once, with what is known", () => {
  const model = layered([{ type: "Conv2d", kernel_size: 3, padding: 1 }, { type: "MaxPool2d", kernel_size: 2 }, "relu"], { "c.weight": [2, 1, 3, 3] }); // prettier-ignore
  expect(withRuntime(shared, () => model.forward(zeros([1, 1, 4, 4])).shape)).toEqual([1, 2, 2, 2]);
  expect(() => layered("warp 3->4", { "w.weight": [4, 3] })).toThrow(
    /^model: hearth has no layer "warp" .* it knows conv, /,
  );
  expect(() => layered("linear sideways", { "w.weight": [4, 3] })).toThrow(/found "sideways"/);
  expect(() => layered("relu", { "w.weight": [4, 3] })).toThrow(/expected a layer for each of w, found none/);
  expect(() => layered("dropout 0.5", {})).toThrow(UnsupportedError);
});

test("a layer that hearth lacks, and a model without layers, fail with a reason", async () => {
  const base = { parameters: {}, batches: [], losses: [], steps: 1, optimizer: { name: "SGD", lr: 1 } };
  const cases: ModelFixture[] = [
    { ...base, id: "a", kind: "cnn", model: { layers: "warp 3->4" }, parameters: { "w.weight": "w" } },
    { ...base, id: "b", kind: "mamba", model: {} },
  ];
  const results = await runConformance(deviceRuntime(), { ops: none, optimizers: none, models: { ...none, cases } });
  expect(results.map(({ reason }) => reason)).toEqual([
    expect.stringMatching(/^model: hearth has no layer "warp" \("warp 3->4"\) yet; it knows conv, /) as string,
    "hearth has no model mamba without layers yet",
  ]);
});

test("NaN never passes, equal infinities do, and shapes count", () => {
  const tolerance = { rtol: 1, atol: 1 };
  const vector = (...values: number[]) => ({ shape: [values.length], data: Float32Array.from(values) });
  expect(difference("x", vector(Number.NaN), vector(1), tolerance)).toContain("NaN for 1");
  expect(difference("x", vector(Infinity), vector(Infinity), tolerance)).toBeNull();
  expect(difference("x", { ...vector(1, 2), shape: [2, 1] }, vector(1, 2), tolerance)).toContain("shape [2, 1]");
});

test("a torn safetensors file is refused", () => {
  const file = safetensors({ x: [1, 2, 3] });
  expect([...(readSafetensors(file).get("x")?.data ?? [])]).toEqual([1, 2, 3]);
  expect(() => readSafetensors(file.slice(0, -4))).toThrow(/12 bytes of tensors, found 8/);
  expect(() => readSafetensors(file.slice(0, 20))).toThrow(/bytes of header/);
});

test("arguments that make no sense are refused in one sentence", () => {
  expect(() => parseOptions([])).toThrow(/--fixtures DIR is missing/);
  expect(() => parseOptions(["--fixtures", folder])).toThrow(/expected ops.json/);
  for (const name of FIXTURE_FILES) writeFileSync(join(folder, name), "");
  expect(() => parseOptions(["--fixtures", folder, "--device", "abacus"])).toThrow(OptionError);
  expect(() => parseOptions(["--fixtures", folder, "--colour"])).toThrow(/--colour/);
  expect(parseOptions(["--fixtures", folder, "--device", "reference", "--json", "/a.json"])).toEqual({
    fixtures: folder,
    device: "reference",
    json: "/a.json",
  });
});
