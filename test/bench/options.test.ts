import { expect, test } from "vitest";
import { parseBenchOptions } from "../../bench/options.ts";

const EXISTING = {
  device: new Set(["matmul", "mlp"]),
  host: new Map([
    ["node-webgpu", new Set(["all-reduce", "checkpoint"])],
    ["chromium-webgpu", new Set(["all-reduce"])],
  ]),
};
const parse = (...argv: string[]) => parseBenchOptions(argv, EXISTING);

test("without arguments everything runs, in Node, without peers", () => {
  expect(parse()).toEqual({
    names: ["matmul", "mlp", "all-reduce", "checkpoint"],
    peers: false,
    backends: false,
    allCores: false,
    environments: ["node-webgpu"],
    json: null,
    results: false,
  });
});

test("peers are measured in all environments, unless one is named", () => {
  expect(parse("--peers").environments).toEqual(["node-webgpu", "chromium-webgpu", "node-wasm", "chromium-wasm"]);
  expect(parse("--peers", "--environment", "node-webgpu").environments).toEqual(["node-webgpu"]);
});

test("backends of peers are theirs, so peers are measured", () => {
  expect(parse("--all-cores").allCores).toBe(true);
  expect(parse("--backends", "--environment", "chromium-wasm")).toMatchObject({ peers: true, backends: true });
});

test("names come in the order of the command line, each once", () => {
  expect(parse("mlp", "matmul", "mlp").names).toEqual(["mlp", "matmul"]);
});

test("a browser runs the device's benchmarks and those of its tabs, and refuses the others", () => {
  expect(parse("--environment", "chromium-webgpu").names).toEqual(["matmul", "mlp", "all-reduce"]);
  expect(() => parse("checkpoint", "--environment", "chromium-webgpu")).toThrow("checkpoint runs in node-webgpu alone");
});

test("what needs no device and is named runs wherever it can", () => {
  expect(parse("all-reduce").environments).toContain("chromium-webgpu");
  expect(parse("all-reduce", "mlp").environments).toEqual(["node-webgpu"]);
});

test("a name without a program, a name of nothing, an environment of nothing and an empty path are refused by name", () => {
  expect(() => parse("reed-solomon")).toThrow("the benchmark reed-solomon does not exist yet");
  expect(() => parse("matmull")).toThrow(
    'expected names of benchmarks (matmul, mlp, all-reduce, checkpoint), found "matmull"',
  );
  expect(() => parse("--environment", "deno")).toThrow(
    'expected one of node-webgpu, chromium-webgpu, node-wasm, chromium-wasm, found "deno"',
  );
  expect(() => parse("--json=")).toThrow("--json: expected a path, found nothing");
  expect(() => parse("--fast")).toThrow("usage: npm run bench");
});
