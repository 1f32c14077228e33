import { expect, test } from "vitest";
import { deviceResult } from "../../bench/device-result.ts";
import { failure } from "../../bench/environments/case-report.ts";
import { markdownOf, tableOf } from "../../bench/result.ts";

const product = { title: "[2, 2] x [2, 2]", flops: 2e6, prepare: () => Promise.reject(new RangeError("never")) };
const report = (ms: number, ...notes: string[]) => ({ ms, samples: 5, steps: 10, notes, error: null });

test("times become the case's unit, and a peer that failed is null with its reason", () => {
  const result = deviceResult("matmul", product, "node-webgpu", {
    hearth: report(2, "1 kernels"),
    "jax-js": report(4, "agrees within 1e-7 with hearth"),
    tfjs: failure("timing: no end within 240 s"),
  });
  expect(result).toEqual({
    name: "matmul",
    case: "[2, 2] x [2, 2]",
    environment: "node-webgpu",
    unit: "GFLOP/s",
    better: "higher",
    ours: 1,
    peers: { "jax-js": 0.5, tfjs: null },
    notes:
      "2.00 ms a step; 1 kernels; jax-js: 4.00 ms a step, agrees within 1e-7 with hearth; tfjs: FAILED in timing: no end within 240 s",
  });
});

test("ours may fail too, and fewer samples than five are told", () => {
  const { flops, ...timed } = product;
  const result = deviceResult("mlp", { ...timed, bytes: flops }, "node-webgpu", {
    hearth: failure("first steps: lost"),
    tfjs: { ...report(2), samples: 3 },
  });
  expect(result).toMatchObject({ unit: "ms", better: "lower", ours: null, peers: { tfjs: 2 } });
  expect(result.notes).toBe("FAILED in first steps: lost; tfjs: 1.00 GB/s, median of 3 only");
});

test("the table has a column for each peer, and a dash where there is no figure", () => {
  const line = { case: "a | b", environment: "node-webgpu", unit: "ms", better: "lower", notes: "n" } as const;
  const results = [
    { ...line, name: "mlp", ours: 1.23456, peers: { "jax-js": null, tfjs: 12_345 } },
    { ...line, name: "checkpoint", ours: 2, peers: {} },
  ];
  expect(tableOf(results).split("\n")).toEqual([
    "name        case   environment  ours  jax-js  tfjs   unit  better  notes",
    "mlp         a | b  node-webgpu  1.23  -       12300  ms    lower   n",
    "checkpoint  a | b  node-webgpu  2     -       -      ms    lower   n",
  ]);
  expect(markdownOf(results).split("\n")[2]).toBe(
    "| mlp | a \\| b | node-webgpu | 1.23 | - | 12300 | ms | lower | n |",
  );
});
