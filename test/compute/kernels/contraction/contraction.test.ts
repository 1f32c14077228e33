/** Every schedule against a loop in float64, on shapes that fit no tile. */
import { afterAll, expect, test } from "vitest";
import { Random } from "../../../../src/base/random.ts";
import type { Device } from "../../../../src/compute/device/device.ts";
import { ReferenceDevice } from "../../../../src/compute/device/reference/reference-device.ts";
import { contraction } from "../../../../src/compute/kernels/contraction/contraction.ts";
import {
  contractionScheduleName,
  parseContractionSchedule,
  type Contraction,
  type ContractionSchedule,
} from "../../../../src/compute/kernels/contraction/schedule.ts";
import { flatten, Loops, type Index, type Operand } from "../../../../src/compute/kernels/grid.ts";
import { add, f32, load, multiply } from "../../../../src/compute/lang/build.ts";
import type { Kernel } from "../../../../src/compute/lang/kernel.ts";
import { store } from "../../../../src/compute/lang/statements.ts";
import { openNodeWebGpu, openWasm, webGpuMissing } from "../../device/devices.ts";

const SEED = 31;

/** N: [batch, rows, columns] in row-major order. T: the last two axes the other way round. */
type Layout = "N" | "T";

interface Case extends Contraction {
  readonly left: Layout;
  readonly right: Layout;
}

function operand(binding: number, shape: readonly [number, number, number], layout: Layout): Operand {
  const [batch, rows, columns] = shape;
  return ([b, i, j]: Index) => {
    const at = layout === "N" ? [b, i, j] : [b, j, i];
    const stored = layout === "N" ? [batch, rows, columns] : [batch, columns, rows];
    return load(binding, flatten(at as Index, stored), "f32");
  };
}

/** out = 2 * (left * right) + 1: with steps after the product. */
function kernelOf({ left, right, ...product }: Case, schedule: ContractionSchedule): Kernel {
  const { batch, rows, columns, inner } = product;
  const grid = contraction(
    product,
    schedule,
    operand(1, [batch, rows, inner], left),
    operand(2, [batch, inner, columns], right),
    (index, total) => [store(0, flatten(index, [batch, rows, columns]), add(multiply(total, f32(2)), f32(1)))],
    new Loops(),
  );
  const lengths = [batch * rows * columns, batch * rows * inner, batch * inner * columns];
  const bindings = lengths.map((length, i) => ({ type: "f32" as const, access: i === 0 ? "write" : "read", length }) as const); // prettier-ignore
  return {
    name: `${contractionScheduleName(schedule)} of [${rows}, ${inner}] x [${inner}, ${columns}]`,
    bindings,
    ...grid,
  };
}

/** The elements of an operand in row-major order, in memory order, and what the loop below reads. */
function draw(random: Random, count: number): Float32Array {
  return Float32Array.from({ length: count }, () => random.uniform() * 2 - 1);
}

function expected({ batch, rows, columns, inner, left, right }: Case, a: Float32Array, b: Float32Array): number[] {
  const out: number[] = [];
  for (let matrix = 0; matrix < batch; matrix++) {
    for (let m = 0; m < rows; m++) {
      for (let n = 0; n < columns; n++) {
        let sum = 0;
        for (let k = 0; k < inner; k++) {
          const x = a[matrix * rows * inner + (left === "N" ? m * inner + k : k * rows + m)] ?? Number.NaN;
          const y = b[matrix * inner * columns + (right === "N" ? k * columns + n : n * inner + k)] ?? Number.NaN;
          sum += x * y;
        }
        out.push(2 * sum + 1);
      }
    }
  }
  return out;
}

async function run(device: Device, kernel: Kernel, a: Float32Array, b: Float32Array): Promise<Float32Array> {
  const arrays = [new Float32Array(kernel.bindings[0]?.length ?? 0), a, b];
  const buffers = arrays.map((array) => {
    const buffer = device.createBuffer(array.byteLength);
    device.write(buffer, new Uint8Array(array.slice().buffer));
    return buffer;
  });
  const made = await device.createKernel(kernel);
  device.submit(device.record([{ kind: "dispatch", kernel: made, buffers }]));
  const [output] = buffers;
  const bytes = output === undefined ? new Uint8Array(0) : await device.read(output);
  for (const buffer of buffers) buffer.destroy();
  return new Float32Array(bytes.buffer);
}

async function check(device: Device, shape: Case, schedule: ContractionSchedule): Promise<void> {
  const random = new Random(SEED, "contraction");
  const { batch, rows, columns, inner } = shape;
  const [a, b] = [draw(random, batch * rows * inner), draw(random, batch * inner * columns)];
  const found = await run(device, kernelOf(shape, schedule), a, b);
  const want = expected(shape, a, b);
  // Each of K additions rounds by 2^-24 of a sum of at most K, twice over.
  const tolerance = 2 * inner * inner * 2 ** -24 + 1e-6;
  expect(found.length).toBe(want.length);
  for (const [i, x] of want.entries()) {
    if (Math.abs((found[i] ?? Number.NaN) - x) <= tolerance) continue;
    expect.fail(
      `${contractionScheduleName(schedule)}, ${JSON.stringify(shape)}: ${i}: expected ${x}, found ${found[i]}`,
    );
  }
}

const SHAPES: readonly Case[] = [
  { batch: 1, rows: 1, columns: 1, inner: 1, left: "N", right: "N" },
  { batch: 1, rows: 16, columns: 64, inner: 16, left: "N", right: "N" },
  { batch: 2, rows: 13, columns: 17, inner: 19, left: "N", right: "T" },
  { batch: 3, rows: 20, columns: 36, inner: 12, left: "T", right: "N" },
  { batch: 1, rows: 1, columns: 70, inner: 33, left: "N", right: "N" },
  { batch: 1, rows: 67, columns: 1, inner: 130, left: "N", right: "N" },
  { batch: 2, rows: 40, columns: 68, inner: 4, left: "T", right: "T" },
  { batch: 1, rows: 3, columns: 5, inner: 300, left: "N", right: "T" },
];

const SCHEDULES: readonly ContractionSchedule[] = [
  "registers 1x1 by 1", "registers 4x4 by 1", "registers 8x8 by 2", "registers 3x5 by 4",
  "columns 4x4 by 1", "columns 2x1 by 4",
  "workgroup of 4x4, 4x4 by 8", "workgroup of 4x8, 2x3 by 5", "line of 8",
].map(parseContractionSchedule); // prettier-ignore

/** Those that software adapters take longest to compile. */
const LARGE_SCHEDULES: readonly ContractionSchedule[] = [
  "panels of 2x2 for 8, 4x8 by 1", "panels of 5x1 for 6, 5x8 by 1", "panels of 3x1 for 512, 6x8 by 2", "panels of 1x3 for 5, 3x12 by 1",
  "workgroup of 8x8, 4x4 by 16", "workgroup of 16x16, 8x4 by 8", "line of 64",
].map(parseContractionSchedule); // prettier-ignore

/** For devices with subgroups of `size`. */
function subgroupSchedules(size: number): ContractionSchedule[] {
  return ["8x4 by 1", "16x2 by 2", "3x1 by 4"].map((tile) => parseContractionSchedule(`subgroups of ${size}, ${tile}`));
}

/** All at once: so that they compile in parallel. */
async function checkAll(
  device: Device,
  shapes: readonly Case[],
  more: readonly ContractionSchedule[] = [],
): Promise<void> {
  const { subgroupSize } = device.info;
  const schedules = [...SCHEDULES, ...more, ...(subgroupSize === null ? [] : subgroupSchedules(subgroupSize))];
  await Promise.all(schedules.flatMap((schedule) => shapes.map((shape) => check(device, shape, schedule))));
}

for (const subgroupSize of [4, 8]) {
  test(`every schedule multiplies any shape, without races, with subgroups of ${subgroupSize} on the reference device`, async () => {
    const device = new ReferenceDevice({ subgroupSize, checksRaces: true });
    await checkAll(device, SHAPES, LARGE_SCHEDULES);
    device.destroy();
  });
}

const opened: Device[] = [];
afterAll(() => {
  for (const device of opened) device.destroy();
});

test("every schedule multiplies any shape on WebAssembly", { timeout: 120_000 }, async () => {
  const device = await openWasm();
  opened.push(device);
  await checkAll(device, SHAPES, LARGE_SCHEDULES);
});

test.skipIf(webGpuMissing !== undefined)(
  "every schedule multiplies any shape on WebGPU",
  { timeout: 300_000 },
  async () => {
    const device = await openNodeWebGpu();
    opened.push(device);
    // Software adapters take their time to compile.
    await checkAll(device, SHAPES.slice(2, 6));
  },
);

test("the name of a schedule says all of it", () => {
  for (const schedule of [...SCHEDULES, ...LARGE_SCHEDULES, ...subgroupSchedules(8)]) {
    expect(parseContractionSchedule(contractionScheduleName(schedule))).toEqual(schedule);
  }
  expect(() => parseContractionSchedule("registers 4")).toThrow(/expected a name such as/);
});
