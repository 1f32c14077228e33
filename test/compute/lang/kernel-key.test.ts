import { expect, test } from "vitest";
import * as graph from "../../../src/compute/compiler/graph.ts";
import type { Node } from "../../../src/compute/compiler/ir.ts";
import { lower } from "../../../src/compute/compiler/lower.ts";
import { NullDevice } from "../../../src/compute/device/null/null-device.ts";
import type { Kernel } from "../../../src/compute/lang/kernel.ts";
import { KernelCache } from "../../../src/compute/runtime/kernel-cache.ts";
import { kernelKey } from "../../../src/compute/lang/kernel-key.ts";

function kernelOf(make: (x: Node) => Node, shape: readonly number[] = [8]): Kernel {
  const { kernels } = lower([make(graph.buffer(shape, "float32"))], 8);
  return kernels[0]?.kernel ?? expect.fail("no kernel");
}

const scaled =
  (factor: number) =>
  (x: Node): Node =>
    graph.binary("multiply", x, graph.constant(factor, x.shape, "float32"));

test("kernels of equal graphs have one key, whatever their names", () => {
  const kernel = kernelOf(scaled(2));
  expect(kernelKey(kernelOf(scaled(2)))).toBe(kernelKey(kernel));
  expect(kernelKey({ ...kernel, name: "another" })).toBe(kernelKey(kernel));
});

test("kernels that differ in a constant, a size, an operator or the sign of a zero have keys of their own", () => {
  const kernels = [
    kernelOf(scaled(2)),
    kernelOf(scaled(3)),
    kernelOf(scaled(0)),
    kernelOf(scaled(-0)),
    kernelOf(scaled(2), [9]),
    kernelOf((x) => graph.unary("exp", x)),
    kernelOf((x) => graph.unary("log", x)),
    kernelOf((x) => graph.reduce("sum", x, [0])),
    kernelOf((x) => graph.reduce("product", x, [0])),
  ];
  expect(new Set(kernels.map(kernelKey)).size).toBe(kernels.length);
});

test("the key of expressions that share most of themselves is short", () => {
  const words = kernelOf((x) => graph.random(graph.cast(graph.slice(x, [0], [2]), "uint32"), [16]));
  expect(kernelKey(words).length).toBeLessThan(10_000);
});

test("a device compiles equal kernels once", async () => {
  let compiled = 0;
  const device = new NullDevice();
  const cache = new KernelCache(
    Object.assign(Object.create(device), {
      createKernel: async (kernel: Kernel) => {
        compiled += 1;
        return await device.createKernel(kernel);
      },
    }),
  );
  const [first, second, third] = await cache.getAll([kernelOf(scaled(2)), kernelOf(scaled(2)), kernelOf(scaled(3))]);
  expect(second).toBe(first);
  expect(third).not.toBe(first);
  expect(compiled).toBe(2);
});
