import { expect, test } from "vitest";
import { parseBenchOptions } from "../../bench/options.ts";

const EXISTING = { device: new Set(["matmul", "mlp"]), host: new Set(["checkpoint"]) };
const parse = (...argv: string[]) => parseBenchOptions(argv, EXISTING);

test("without arguments everything runs, in Node, without peers", () => {
  expect(parse()).toEqual({
    names: ["matmul", "mlp", "checkpoint"],
    peers: false,
    environments: ["node-webgpu"],
    json: null,
    results: false,
  });
});

test("peers are measured in all environments, unless one is named", () => {
  expect(parse("--peers").environments).toEqual(["node-webgpu", "chromium-webgpu", "node-wasm", "chromium-wasm"]);
  expect(parse("--peers", "--environment", "node-webgpu").environments).toEqual(["node-webgpu"]);
});

test("names come in the order of the command line, each once", () => {
  expect(parse("mlp", "matmul", "mlp").names).toEqual(["mlp", "matmul"]);
});

test("a browser runs the device's benchmarks alone, and refuses the host's", () => {
  expect(parse("--environment", "chromium-webgpu").names).toEqual(["matmul", "mlp"]);
  expect(() => parse("checkpoint", "--environment", "chromium-webgpu")).toThrow("checkpoint runs in Node alone");
});

test("a name without a program, a name of nothing, an environment of nothing and an empty path are refused by name", () => {
  expect(() => parse("reed-solomon")).toThrow("the benchmark reed-solomon does not exist yet");
  expect(() => parse("matmull")).toThrow('expected names of benchmarks (matmul, mlp, checkpoint), found "matmull"');
  expect(() => parse("--environment", "deno")).toThrow(
    'expected one of node-webgpu, chromium-webgpu, node-wasm, chromium-wasm, found "deno"',
  );
  expect(() => parse("--json=")).toThrow("--json: expected a path, found nothing");
  expect(() => parse("--fast")).toThrow("usage: npm run bench");
});
