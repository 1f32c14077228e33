/** Every schedule of rows against loops in float64, on shapes that fit none of them. */
import { afterAll, expect, test } from "vitest";
import { Random } from "../../../../src/base/random.ts";
import type { Device, DeviceKernel } from "../../../../src/compute/device/device.ts";
import { ReferenceDevice } from "../../../../src/compute/device/reference/reference-device.ts";
import { flatten, Loops, type Index } from "../../../../src/compute/kernels/grid.ts";
import {
  INVOCATION_A_ROW,
  parseRowSchedule,
  rowScheduleName,
  type RowSchedule,
} from "../../../../src/compute/kernels/rows/row-schedule.ts";
import {
  columnCount,
  lastAxisOf,
  rowCount,
  rowShapeOf,
  type RowSpace,
} from "../../../../src/compute/kernels/rows/row-space.ts";
import { rows } from "../../../../src/compute/kernels/rows/rows.ts";
import { add, cast, load, multiply, subtract } from "../../../../src/compute/lang/build.ts";
import type { Expr, Kernel } from "../../../../src/compute/lang/kernel.ts";
import { store } from "../../../../src/compute/lang/statements.ts";
import { elementCount, rowMajorStrides } from "../../../../src/compute/layout/shape.ts";
import { openNodeWebGpu, openWasm, webGpuMissing } from "../../device/devices.ts";

const SEED = 47;
/** Of the kernel's arrays: elements, a sum of squares and a row's end a row; what is read. */
const [OUT, SQUARES, ENDS, X] = [0, 1, 2, 3];

/**
 * With m = max(x), l = the least of x as integers, s = sum(x - m), q = sum((x - s)^2): elements x * s + l, and q and
 * q + m a row. Four reductions in three sweeps, two of them over floats that need digits.
 */
function kernelOf(space: RowSpace, schedule: RowSchedule): Kernel {
  const { shape } = space;
  const rowShape = rowShapeOf(space);
  const x = (index: Index): Expr => load(X, flatten(index, shape), "f32");
  const results: Expr[] = [];
  const kept = (values: readonly Expr[]): readonly never[] => {
    results.push(...values);
    return [];
  };
  const from = (at: number): Expr => results[at] ?? expect.fail("a result");
  const square = (value: Expr): Expr => multiply(value, value);
  const grid = rows(
    space,
    [
      {
        reductions: [
          { fn: "maximum", type: "f32", operand: x },
          {
            fn: "minimum",
            type: "i32",
            operand: (index) => cast("i32", multiply(x(index), load(X, flatten(index, shape), "f32"))),
          },
        ],
        element: () => [],
        finish: (_, values) => kept(values),
      },
      {
        reductions: [{ fn: "sum", type: "f32", operand: (index) => subtract(x(index), from(0)) }],
        element: () => [],
        finish: (_, values) => kept(values),
      },
      {
        reductions: [{ fn: "sum", type: "f32", operand: (index) => square(subtract(x(index), from(2))) }],
        element: (index) => [store(OUT, flatten(index, shape), add(multiply(x(index), from(2)), cast("f32", from(1))))],
        finish: (row, [sum]) => [
          store(SQUARES, flatten(row, rowShape), sum ?? expect.fail("a sum")),
          store(ENDS, flatten(row, rowShape), add(sum ?? expect.fail("a sum"), from(0))),
        ],
      },
    ],
    schedule,
    new Loops(),
  );
  const [count, all] = [rowCount(space), elementCount(shape)];
  const bindings = [all, count, count, all].map((length, i) => ({ type: "f32" as const, access: i === X ? "read" : "write", length }) as const); // prettier-ignore
  return { name: `${rowScheduleName(schedule)} of [${shape.join(", ")}]`, bindings, ...grid };
}

/** The places in `x` of each row's elements. */
function placesOf({ shape, axes }: RowSpace): number[][] {
  const byRow = new Map<number, number[]>();
  const strides = rowMajorStrides(shape);
  const rowStrides = rowMajorStrides(rowShapeOf({ shape, axes }));
  for (let flat = 0; flat < elementCount(shape); flat++) {
    const row = shape.reduce((sum, size, axis) => {
      const at = Math.floor(flat / (strides[axis] ?? 1)) % size;
      return axes.includes(axis) ? sum : sum + at * (rowStrides[axis] ?? 1);
    }, 0);
    byRow.set(row, [...(byRow.get(row) ?? []), flat]);
  }
  return [...byRow].sort(([a], [b]) => a - b).map(([, places]) => places);
}

function expected(space: RowSpace, x: Float32Array): number[][] {
  const out = new Array<number>(x.length).fill(0);
  const squares: number[] = [];
  const ends: number[] = [];
  for (const places of placesOf(space)) {
    const own = places.map((place) => x[place] ?? Number.NaN);
    const most = Math.max(...own);
    const least = Math.min(...own.map((value) => Math.trunc(Math.fround(value * value))));
    const sum = own.reduce((total, value) => total + (value - most), 0);
    const square = own.reduce((total, value) => total + (value - sum) ** 2, 0);
    for (const [i, place] of places.entries()) out[place] = (own[i] ?? 0) * sum + least;
    squares.push(square);
    ends.push(square + most);
  }
  return [out, squares, ends];
}

/** What the kernel writes, which is the same when it runs again. */
async function run(device: Device, kernel: Kernel, x: Float32Array): Promise<Float32Array[]> {
  const made = await device.createKernel(kernel);
  const found = await runOnce(device, made, kernel, x);
  expect(await runOnce(device, made, kernel, x)).toEqual(found);
  return found;
}

async function runOnce(device: Device, made: DeviceKernel, kernel: Kernel, x: Float32Array): Promise<Float32Array[]> {
  const arrays = kernel.bindings.map(({ length }, i) => (i === X ? x : new Float32Array(length).fill(-7)));
  const buffers = arrays.map((array) => {
    const buffer = device.createBuffer(array.byteLength);
    device.write(buffer, new Uint8Array(array.slice().buffer));
    return buffer;
  });
  device.submit(device.record([{ kind: "dispatch", kernel: made, buffers }]));
  const out = await Promise.all(buffers.map((buffer) => device.read(buffer)));
  for (const buffer of buffers) buffer.destroy();
  return out.slice(0, X).map((bytes) => new Float32Array(bytes.buffer));
}

async function check(device: Device, space: RowSpace, schedule: RowSchedule): Promise<void> {
  const kernel = kernelOf(space, schedule);
  const random = new Random(SEED, kernel.name);
  const x = Float32Array.from({ length: elementCount(space.shape) }, () => random.uniform() * 4 - 2);
  const found = await run(device, kernel, x);
  const n = columnCount(space);
  // |x - m| is at most 4 and a sum of n of them at most 4 n; in blocks, fewer than 600 roundings of 2^-24 follow one
  // another. Its error doubles in a square and comes in once more with each factor.
  const relative = 4 * (Math.min(n, 600) + 10) * 2 ** -24;
  const scales = [8 * n + 4, n * (4 * n + 2) ** 2, n * (4 * n + 2) ** 2 + 2];
  for (const [at, want] of expected(space, x).entries()) {
    const tolerance = relative * (scales[at] ?? 1);
    const bad = want.findIndex((value, i) => !(Math.abs((found[at]?.[i] ?? Number.NaN) - value) <= tolerance));
    if (bad >= 0) expect.fail(`${kernel.name}: output ${at}[${bad}]: expected ${want[bad]} within ${tolerance}, found ${found[at]?.[bad]}`); // prettier-ignore
  }
}

const SPACES: readonly RowSpace[] = [
  { shape: [1, 1], axes: [1] },
  { shape: [1, 7], axes: [1] },
  { shape: [5, 64], axes: [1] },
  { shape: [3, 131], axes: [1] },
  { shape: [12, 20], axes: [0] },
  { shape: [37, 13], axes: [0] },
  { shape: [2, 1300], axes: [1] },
  { shape: [3, 4, 5, 8], axes: [1, 3] },
  { shape: [4, 9, 8], axes: [0, 1] },
  { shape: [3, 6, 8], axes: [1] },
  { shape: [1, 67, 31], axes: [1, 2] },
  { shape: [1100, 8], axes: [0] },
];

const SCHEDULES: readonly RowSchedule[] = [
  "invocation 1x1", "invocation 1x4", "invocation 4x1", "invocation 4x4",
  "workgroup of 1x64 by 1", "workgroup of 1x256 by 4", "workgroup of 1x32 by 4", "workgroup of 8x8 by 1",
  "workgroup of 3x4 by 1", "workgroup of 16x4 across by 1", "workgroup of 8x16 across by 4", "workgroup of 5x1 by 1",
  "subgroups of 64 by 1", "subgroups of 256 by 4", "subgroups of 32 by 4", "subgroups of 16 by 1",
  "subgroups of 4 by 4 apart", "subgroups of 16 by 2 apart", "vectors of 1", "vectors of 2",
].map(parseRowSchedule); // prettier-ignore

/** Whether four neighbours can be written out where the schedule does that. */
function fits(space: RowSpace, schedule: RowSchedule): boolean {
  const sizeOf = (isReduced: boolean): number => space.shape[lastAxisOf(space, isReduced) ?? -1] ?? 1;
  if (schedule.kind === "vectors") return sizeOf(false) % (4 * schedule.rows) === 0;
  if (schedule.kind === "subgroups" && schedule.areApart === true) return true;
  const rowsEach = schedule.kind === "invocation" ? schedule.rows : 1;
  return sizeOf(true) % schedule.columns === 0 && sizeOf(false) % rowsEach === 0;
}

/** All spaces, or as few as say something about a device's own compiler. */
async function checkAll(
  device: Device,
  schedules: readonly RowSchedule[] = SCHEDULES,
  spaces: readonly RowSpace[] = SPACES,
): Promise<void> {
  for (const schedule of schedules) {
    if (schedule.kind === "subgroups" && !device.info.hasSubgroups) continue;
    for (const space of spaces) if (fits(space, schedule)) await check(device, space, schedule);
  }
}

for (const subgroupSize of [4, 8, 32, 64]) {
  test(`schedules reduce any rows, without races, with subgroups of ${subgroupSize} on the reference device`, async () => {
    const device = new ReferenceDevice({ subgroupSize, checksRaces: true });
    await checkAll(device, subgroupSize === 4 ? SCHEDULES : SCHEDULES.filter(({ kind }) => kind === "subgroups"));
    device.destroy();
  });
}

const opened: Device[] = [];
afterAll(() => {
  for (const device of opened) device.destroy();
});

test("every schedule reduces any rows on WebAssembly", { timeout: 120_000 }, async () => {
  const device = await openWasm();
  opened.push(device);
  await checkAll(device, SCHEDULES);
});

test.skipIf(webGpuMissing !== undefined)(
  "every schedule reduces any rows on WebGPU, and gives the same bits again",
  { timeout: 300_000 },
  async () => {
    const device = await openNodeWebGpu();
    opened.push(device);
    // A kernel takes the driver in software up to half a second to compile.
    const few: RowSpace[] = [
      { shape: [3, 4, 5, 8], axes: [1, 3] },
      { shape: [37, 13], axes: [0] },
    ];
    await checkAll(device, SCHEDULES, few);
  },
);

test("the name of a schedule says all of it", () => {
  for (const schedule of [...SCHEDULES, INVOCATION_A_ROW]) {
    expect(parseRowSchedule(rowScheduleName(schedule))).toEqual(schedule);
  }
  expect(() => parseRowSchedule("invocation 4")).toThrow(/expected a name such as/);
});
