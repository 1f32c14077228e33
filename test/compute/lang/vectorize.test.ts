import { expect, test } from "vitest";
import { Random } from "../../../src/base/random.ts";
import type { Device } from "../../../src/compute/device/device.ts";
import { ReferenceDevice } from "../../../src/compute/device/reference/reference-device.ts";
import { contraction } from "../../../src/compute/kernels/contraction/contraction.ts";
import { parseContractionSchedule } from "../../../src/compute/kernels/contraction/schedule.ts";
import { elementwise } from "../../../src/compute/kernels/elementwise.ts";
import { flatten, Loops, type Index } from "../../../src/compute/kernels/grid.ts";
import { add, f32, i32, load, loadShared, multiply, remainder } from "../../../src/compute/lang/build.ts";
import { invocationOf, laneOf, variable } from "../../../src/compute/lang/expr.ts";
import type { Binding, Expr, Kernel, Statement, StoredType } from "../../../src/compute/lang/kernel.ts";
import { printJavaScript } from "../../../src/compute/lang/print-javascript.ts";
import { printWgsl } from "../../../src/compute/lang/print-wgsl.ts";
import { BARRIER, letIn, Names, store, storeShared, varIn } from "../../../src/compute/lang/statements.ts";
import { vectorAccessOf } from "../../../src/compute/lang/vectorize.ts";
import { openNodeWebGpu, webGpuMissing } from "../device/devices.ts";
import { randomBytes, randomNeighbours } from "./random-neighbours.ts";

const KERNELS = Number(process.env["HEARTH_VECTOR_KERNELS"] ?? 24);
const SEED = 5;
const COUNT = 64;
const AT = invocationOf(COUNT / 4);
const FIRST = multiply(AT, i32(4));

const read = (length: number = COUNT, type: StoredType = "f32"): Binding => ({ type, access: "read", length });
const write = (length: number = COUNT, type: StoredType = "f32"): Binding => ({ type, access: "write", length });

function kernelOf(bindings: readonly Binding[], body: readonly Statement[]): Kernel {
  return { name: "test", bindings, invocations: COUNT / 4, body };
}

/** out[4 i + j] = the sum of what `values` gives for j. */
function fours(bindings: readonly Binding[], value: (j: number) => Expr): Kernel {
  return kernelOf(bindings, [0, 1, 2, 3].map((j) => store(0, add(FIRST, i32(j)), value(j)))); // prettier-ignore
}

function vectorsOf(kernel: Kernel): number[] {
  return [...vectorAccessOf(kernel).bindings];
}

test("four neighbours are loaded and stored as one vector", () => {
  const kernel = fours([write(), read()], (j) => multiply(load(1, add(FIRST, i32(j)), "f32"), load(1, add(FIRST, i32(j)), "f32"))); // prettier-ignore
  const wgsl = printWgsl(kernel);
  expect(wgsl).toContain("b1: array<vec4<f32>, 16>;");
  expect(wgsl.match(/b1\[/g)).toHaveLength(1);
  expect(wgsl.match(/b0\[/g)).toHaveLength(1);
  expect(wgsl).toMatch(/b0\[invocation\] = vec4<f32>\(/);
  expect(printJavaScript(kernel)).not.toContain("vec4");
});

test("a row that many rows share is a vector too, wherever the rows begin", () => {
  const kernel = fours([write(), read(16)], (j) => load(1, remainder(add(FIRST, i32(j)), i32(16)), "f32"));
  expect(printWgsl(kernel)).toContain("b1[(invocation % 4i)]");
});

test("halves are vectors of halves, widened together", () => {
  const kernel = fours([write(COUNT, "f16"), read(COUNT, "f16")], (j) => load(1, add(FIRST, i32(j)), "f32"));
  const wgsl = printWgsl(kernel);
  expect(wgsl).toContain("vec4<f32>(b1[invocation])");
  expect(wgsl).toContain("b0[invocation] = vec4<f16>(f16(");
});

test("an array of which few elements are loaded in fours stays one of scalars, and the rest of a vector's is found by component", () => {
  const odd = (count: number): Expr =>
    Array.from({ length: count }, (_, i) => load(1, multiply(add(AT, i32(i)), i32(3)), "f32")).reduce(add);
  const mixed = (count: number): Kernel =>
    fours([write(), read(400)], (j) => (j === 0 && count > 0 ? add(load(1, FIRST, "f32"), odd(count)) : load(1, add(FIRST, i32(j)), "f32"))); // prettier-ignore
  expect(vectorsOf(mixed(3))).toEqual([0, 1]);
  expect(printWgsl(mixed(3))).toMatch(/b1\[t\d+ \/ 4\]\[t\d+ % 4\]/);
  expect(vectorsOf(mixed(5))).toEqual([0]);
});

test("what is not known to be four neighbours inside the array is no vector", () => {
  const at = (base: Expr) => (j: number) => load(1, add(base, i32(j)), "f32");
  const second = (base: Expr, length = COUNT): number[] => vectorsOf(fours([write(), read(length)], at(base)));
  expect(second(FIRST)).toEqual([0, 1]);
  // One more or less: none begins at a multiple of 4.
  expect(second(add(FIRST, i32(1)), COUNT + 4)).toEqual([0]);
  expect(second(multiply(AT, i32(3)))).toEqual([0]);
  expect(second(multiply(variable("i32", "invocation"), i32(4)))).toEqual([0]);
  expect(second(FIRST, COUNT + 2)).toEqual([0]);
  expect(second(add(FIRST, i32(4)))).toEqual([0]);
  const three = kernelOf([write(), read()], [store(0, FIRST, add(at(FIRST)(0), add(at(FIRST)(1), at(FIRST)(3))))]);
  expect(vectorsOf(three)).toEqual([]);
});

test("an index that changes is another each time, and never part of a vector", () => {
  const index = varIn(new Names(), "index", i32(0));
  const kernel = fours([write(), read()], (j) => load(1, add(multiply(index.use, i32(4)), i32(j)), "f32"));
  expect(vectorsOf({ ...kernel, body: [index.statement, ...kernel.body] })).toEqual([0]);
});

test("stores are merged only where all of an array's are, and nothing is done in between", () => {
  const one = store(0, FIRST, load(1, FIRST, "f32"));
  const more = (parts: readonly number[]): Statement[] =>
    parts.map((j) => store(0, add(FIRST, i32(j)), load(1, AT, "f32")));
  const kernel = (body: readonly Statement[]): number[] => vectorsOf(kernelOf([write(), read()], body));
  expect(kernel([one, ...more([3, 1, 2])])).toEqual([0]);
  expect(kernel([one, ...more([1, 2])])).toEqual([]);
  expect(kernel([one, ...more([1, 2, 3]), store(0, i32(5), load(1, AT, "f32"))])).toEqual([]);
  const between = varIn(new Names(), "between", load(1, AT, "f32"));
  expect(kernel([one, between.statement, ...more([1, 2, 3])])).toEqual([]);
  // Stores to another array are no obstacle.
  const other = store(2, AT, load(1, AT, "f32"));
  expect(vectorsOf(kernelOf([write(), read(), write(16)], [one, other, ...more([1, 2, 3])]))).toEqual([0]);
});

test("an array under two numbers is one of vectors under both, or under neither", () => {
  const update = (alias: Binding, from: Expr): Kernel =>
    fours([write(), read(), alias], (j) => add(load(1, add(FIRST, i32(j)), "f32"), load(2, add(from, i32(j)), "f32")));
  const alias: Binding = { ...read(), aliasOf: 0 };
  expect(vectorsOf(update(alias, FIRST))).toEqual([0, 1, 2]);
  expect(vectorsOf(update(alias, multiply(AT, i32(3))))).toEqual([1]);
});

test("elementwise kernels and products are printed with vectors", () => {
  const each = elementwise(
    [8, 32],
    { each: 4, areNeighbours: true },
    (index) => [store(0, flatten(index, [8, 32]), add(load(1, flatten(index, [8, 32]), "f32"), load(2, index[1] as Expr, "f32")))], // prettier-ignore
    new Loops(),
  );
  expect(vectorsOf({ name: "bias", bindings: [write(256), read(256), read(32)], ...each })).toEqual([0, 1, 2]);
  const operand = (binding: number, shape: number[]) => (index: Index) => load(binding, flatten(index, shape), "f32");
  for (const name of ["registers 4x4 by 1", "subgroups of 8, 8x4 by 2", "columns 4x4 by 1"]) {
    const product = contraction(
      { batch: 1, rows: 16, columns: 64, inner: 16 },
      parseContractionSchedule(name),
      operand(1, [1, 16, 16]),
      operand(2, [1, 16, 64]),
      (index, total) => [store(0, flatten(index, [1, 16, 64]), total)],
      new Loops(),
    );
    expect(vectorsOf({ name, bindings: [write(1024), read(256), read(1024)], ...product })).toEqual([0, 2]);
  }
});

test("what a workgroup shares is an array of vectors where it is stored and loaded in fours", () => {
  const operand = (binding: number, isTransposed: boolean) => (index: Index) =>
    load(binding, flatten(isTransposed ? [index[0] as Expr, index[2] as Expr, index[1] as Expr] : index, [1, 32, 32]), "f32"); // prettier-ignore
  const product = (left: boolean, right: boolean, steps: number): Kernel => ({
    name: "product",
    bindings: [write(1024), read(1024), read(1024)],
    ...contraction(
      { batch: 1, rows: 32, columns: 32, inner: 32 },
      parseContractionSchedule(`workgroup of 4x4, 4x4 by ${steps}`),
      operand(1, left),
      operand(2, right),
      (index, total) => [store(0, flatten(index, [1, 32, 32]), total)],
      new Loops(),
    ),
  });
  for (const [left, right] of [
    [false, false],
    [false, true],
    [true, false],
    [true, true],
  ] as const) {
    const kernel = product(left, right, 8);
    expect([...vectorAccessOf(kernel).shared]).toEqual([0, 1]);
    expect(vectorsOf(kernel)).toEqual(right ? [1, 2] : [0, 1, 2]);
    expect(printWgsl(kernel)).toMatch(/var<workgroup> s0: array<vec4<f32>, /);
  }
  // Six steps are no fours, where they lie side by side.
  expect([...vectorAccessOf(product(false, false, 6)).shared]).toEqual([1]);
});

test("lets with a store or a barrier between them are no vector", () => {
  const lane = laneOf(16);
  const place = (j: number): Expr => add(multiply(lane, i32(4)), i32(j));
  const stores = [0, 1, 2, 3].map((j) => storeShared(0, place(j), f32(j)));
  const lets = [0, 1, 2, 3].map((j) => letIn(new Names(), "xyzw"[j] ?? "", loadShared(0, place(j), "f32")));
  const shared = (between: readonly Statement[]): number[] => {
    const statements = lets.map(({ statement }) => statement);
    const end = store(0, lane, lets.map(({ use }) => use).reduce(add)); // prettier-ignore
    const body = [...stores, BARRIER, ...statements.slice(0, 2), ...between, ...statements.slice(2), end];
    const workgroup = { lanes: 16, shared: [{ type: "f32", length: 64 }] } as const;
    return [...vectorAccessOf({ name: "lets", bindings: [write(16)], invocations: 16, workgroup, body }).shared];
  };
  expect(shared([])).toEqual([0]);
  expect(shared([BARRIER])).toEqual([]);
  expect(shared([storeShared(0, place(0), f32(1))])).toEqual([]);
});

async function run(device: Device, kernel: Kernel, arrays: readonly Uint8Array[]): Promise<Uint8Array[]> {
  const buffers = arrays.map((bytes) => {
    const buffer = device.createBuffer(Math.ceil(bytes.length / 4) * 4);
    device.write(
      buffer,
      Uint8Array.from({ length: buffer.bytes }, (_, i) => bytes[i] ?? 0),
    );
    return buffer;
  });
  const made = await device.createKernel(kernel);
  device.submit(device.record([{ kind: "dispatch", kernel: made, buffers }]));
  const out = await Promise.all(buffers.slice(0, 2).map((buffer) => device.read(buffer)));
  for (const buffer of buffers) buffer.destroy();
  return out;
}

test.skipIf(webGpuMissing !== undefined)(
  `${KERNELS} random kernels of neighbours compute the same bits with vectors as without (seed ${SEED})`,
  { timeout: 120_000 },
  async () => {
    const [webGpu, reference] = [await openNodeWebGpu(), new ReferenceDevice()];
    let vectors = 0;
    try {
      // All at once: so they compile in parallel.
      const checked = Array.from({ length: KERNELS }, async (_, i) => {
        const random = new Random(SEED, `neighbours ${i}`);
        const kernel = randomNeighbours(random, webGpu.info.hasFloat16);
        const bytes = randomBytes(random, kernel);
        vectors += vectorAccessOf(kernel).bindings.size;
        expect(await run(webGpu, kernel, bytes), `kernel ${i}`).toEqual(await run(reference, kernel, bytes));
      });
      await Promise.all(checked);
    } finally {
      webGpu.destroy();
      reference.destroy();
    }
    expect(vectors).toBeGreaterThan(KERNELS);
  },
);
