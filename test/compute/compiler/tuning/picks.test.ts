import { expect, test } from "vitest";
import * as graph from "../../../../src/compute/compiler/graph.ts";
import type { Node } from "../../../../src/compute/compiler/ir.ts";
import { lower } from "../../../../src/compute/compiler/lower.ts";
import { ForcedChoices, type Choices } from "../../../../src/compute/compiler/tuning/choices.ts";
import { kernelKey } from "../../../../src/compute/lang/kernel-key.ts";
import { siteKey, siteOf, type Site } from "../../../../src/compute/compiler/tuning/site.ts";

const leaf = (...shape: number[]): Node => graph.buffer(shape, "float32");

function sitesOf(...outputs: Node[]): Site[] {
  const sites: Site[] = [];
  const choices: Choices = { choose: (site) => (sites.push(site), site.candidates[0] ?? "") };
  lower(outputs, 8, { choices });
  return sites;
}

function invocationsOf(output: Node, choices: Choices): number[] {
  return lower([output], 8, { choices }).kernels.map(({ kernel }) => kernel.invocations);
}

test("the layout of a product's operands is seen through their views", () => {
  const swap = (x: Node): Node => graph.permute(x, [0, 2, 1]);
  const [a, b] = [leaf(1, 128, 64), leaf(1, 64, 256)];
  const across = graph.permute(graph.reshape(leaf(64, 2, 64), [64, 1, 128]), [1, 2, 0]);
  const [aT, bT] = [swap(leaf(1, 64, 128)), swap(leaf(1, 256, 64))];
  const classes = [
    [a, b, "NN"],
    [a, bT, "NT"],
    [aT, b, "TN"],
    [aT, bT, "TT"],
    [across, b, "TN"],
  ] as const;
  for (const [left, right, layout] of classes) {
    const [site] = sitesOf(graph.contraction(left, right));
    expect(site?.shapeClass).toBe(`1 x [128, 64] x [64, 256] ${layout}`);
  }
});

test("a product that loads float16 is another site than one that loads float32", () => {
  const half = graph.cast(graph.buffer([1, 128, 64], "float16"), "float32");
  const [site] = sitesOf(graph.contraction(half, leaf(1, 64, 256)));
  expect(site?.dtype).toBe("float16 x float32");
});

test("each kernel with candidates is asked for once, in the order of the plan", () => {
  const product = graph.contraction(leaf(1, 128, 64), leaf(1, 64, 256));
  const steps = graph.unary("tanh", graph.binary("add", leaf(64, 128), leaf(64, 128)));
  const kinds = sitesOf(product, steps).map(({ kind, shapeClass }) => `${kind} ${shapeClass}`);
  expect(kinds.sort()).toEqual(["contraction 1 x [128, 64] x [64, 256] NN", "elementwise 8192, 2 to 1"]);
});

test("small elementwise kernels have nothing to choose", () => {
  expect(sitesOf(graph.unary("tanh", leaf(100)))).toEqual([]);
});

test("a choice becomes the kernel, and a name that is not offered becomes the default", () => {
  const steps = graph.unary("tanh", leaf(8192));
  expect(invocationsOf(steps, new ForcedChoices("elementwise", "16"))).toEqual([512]);
  expect(invocationsOf(steps, { choose: () => "no such candidate" })).toEqual([8192]);
});

test("each candidate of a product is a kernel of its own", () => {
  const product = graph.contraction(leaf(1, 128, 64), leaf(1, 64, 256));
  const [site] = sitesOf(product);
  const keys = site?.candidates.map((name) => {
    const { kernels } = lower([product], 8, { choices: new ForcedChoices("contraction", name) });
    return kernels.map(({ kernel }) => kernelKey(kernel)).join();
  });
  expect(keys?.length).toBeGreaterThan(1);
  expect(new Set(keys).size).toBe(keys?.length);
});

test("a forced choice says whether it was offered", () => {
  const choices = new ForcedChoices("elementwise", "16");
  lower([graph.unary("tanh", leaf(100))], 8, { choices });
  expect(choices.wasOffered).toBe(false);
  lower([graph.unary("tanh", leaf(8192))], 8, { choices });
  expect(choices.wasOffered).toBe(true);
});

test("the same candidates in another order are the same question, other candidates are another", () => {
  const problem = { kind: "elementwise", dtype: "float32", count: 8192, loads: 1, stores: 1, isHeavy: false } as const;
  const key = siteKey(siteOf(problem, ["1", "4"]));
  expect(siteKey(siteOf({ ...problem, count: 8196 }, ["4", "1"]))).toBe(key);
  expect(siteKey(siteOf(problem, ["1", "4", "8"]))).not.toBe(key);
  expect(siteKey(siteOf({ ...problem, dtype: "int32" }, ["1", "4"]))).not.toBe(key);
});
