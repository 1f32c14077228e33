import { expect, test } from "vitest";
import { wgslTokens } from "../../../app/inspect/wgsl-tokens.ts";
import * as graph from "../../../src/compute/compiler/graph.ts";
import { lower } from "../../../src/compute/compiler/lower.ts";
import { printWgsl } from "../../../src/compute/lang/print-wgsl.ts";

test("words, numbers, attributes and comments are told apart", () => {
  const tokens = wgslTokens("@compute fn main() { let x: f32 = max(b0[1i], -0x1.5p-3f); } // 1 let");
  const told = tokens.filter(({ kind }) => kind !== "plain").map(({ kind, text }) => `${kind} ${text}`);
  expect(told).toEqual([
    "attribute @compute",
    "keyword fn",
    "call main",
    "keyword let",
    "type f32",
    "call max",
    "number 1i",
    "number 0x1.5p-3f",
    "comment // 1 let",
  ]);
});

test("the tokens of a printed kernel are its source", () => {
  const x = graph.buffer([4, 64], "float32");
  const [kernel] = lower([graph.reduce("sum", graph.unary("tanh", x), [1])], 8).kernels;
  const source = kernel === undefined ? "" : printWgsl(kernel.kernel);
  expect(source.length).toBeGreaterThan(100);
  const tokens = wgslTokens(source);
  expect(tokens.map(({ text }) => text).join("")).toBe(source);
  expect(new Set(tokens.map(({ kind }) => kind))).toEqual(
    new Set(["attribute", "plain", "keyword", "type", "number", "call"]),
  );
});
