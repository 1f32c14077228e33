/** Every schedule of scans against loops on the host, on lines that fit none of them. */
import { afterAll, expect, test } from "vitest";
import { Random } from "../../../src/base/random.ts";
import type { Device } from "../../../src/compute/device/device.ts";
import { ReferenceDevice } from "../../../src/compute/device/reference/reference-device.ts";
import { PLAIN_DEVICE } from "../../../src/compute/kernels/device-traits.ts";
import { flatten, Loops } from "../../../src/compute/kernels/grid.ts";
import { scan, scanCandidates, scanScheduleName, type Scan, type ScanSchedule } from "../../../src/compute/kernels/scan.ts"; // prettier-ignore
import { load } from "../../../src/compute/lang/build.ts";
import type { Kernel } from "../../../src/compute/lang/kernel.ts";
import { store } from "../../../src/compute/lang/statements.ts";
import { elementCount } from "../../../src/compute/layout/shape.ts";
import { openNodeWebGpu, webGpuMissing } from "../device/devices.ts";

const SEED = 53;
const SCHEDULES: readonly ScanSchedule[] = [
  { kind: "invocation" },
  ...[64, 128].flatMap((lanes): ScanSchedule[] => [{ kind: "workgroup", lanes }, { kind: "subgroups", lanes }]),
]; // prettier-ignore
/** Shapes with the axis that is scanned: one block, several, ragged, prime, not the last axis. */
const CASES: readonly (readonly [shape: number[], axis: number])[] = [
  [[3, 64], 1],
  [[2, 1], 1],
  [[2, 257], 1],
  [[300, 3], 0],
  [[2, 130, 2], 1],
  [[1, 509], 1],
];

function kernelOf(work: Scan, schedule: ScanSchedule): Kernel {
  const { shape, type } = work;
  const sink: Parameters<typeof scan>[3] = (index, value) => [store(0, flatten(index, shape), value)];
  const grid = scan(work, schedule, (index) => load(1, flatten(index, shape), type), sink, new Loops());
  const length = elementCount(shape);
  const bindings = (["write", "read"] as const).map((access) => ({ type, access, length }));
  return { name: `scan ${scanScheduleName(schedule)}`, bindings, ...grid };
}

/** Whole numbers, so that sums are exact in any order; for products ones and minus ones. */
function valuesOf({ fn, shape, type }: Scan): number[] {
  const random = new Random(SEED, fn, ...shape);
  const low = type === "u32" ? 0 : -3;
  return Array.from({ length: elementCount(shape) }, () => {
    if (fn === "product") return type === "u32" || random.below(2) === 0 ? 1 : -1;
    return low + random.below(9);
  });
}

function expectedOf({ fn, shape, axis }: Scan, values: readonly number[]): number[] {
  const out = [...values];
  const step = elementCount(shape.slice(axis + 1));
  const size = shape[axis] ?? 1;
  for (let i = 0; i < out.length; i++) {
    if (Math.floor(i / step) % size === 0) continue;
    const [before = 0, own = 0] = [out[i - step], values[i]];
    out[i] = fn === "sum" ? before + own : fn === "product" ? before * own : Math.max(before, own);
  }
  return out;
}

async function check(device: Device, work: Scan, schedule: ScanSchedule): Promise<void> {
  const array = { f32: Float32Array, i32: Int32Array, u32: Uint32Array }[work.type];
  const values = valuesOf(work);
  const [output, input] = [0, 1].map(() => device.createBuffer(values.length * 4)) as [ReturnType<Device["createBuffer"]>, ReturnType<Device["createBuffer"]>]; // prettier-ignore
  device.write(input, new Uint8Array(array.from(values).buffer));
  const kernel = await device.createKernel(kernelOf(work, schedule));
  device.submit(device.record([{ kind: "dispatch", kernel, buffers: [output, input] }]));
  const found = [...new array((await device.read(output)).buffer)];
  expect(found, `${scanScheduleName(schedule)}, ${work.fn} of ${work.type} [${work.shape.join()}]`).toEqual(
    expectedOf(work, values),
  );
  output.destroy();
  input.destroy();
}

for (const subgroupSize of [4, 8, 32, 64]) {
  test(`scans with subgroups of ${subgroupSize}: running totals, and no lane races another`, async () => {
    const device = new ReferenceDevice({ subgroupSize, checksRaces: true });
    for (const [shape, axis] of CASES) {
      for (const fn of ["sum", "product", "maximum"] as const) {
        for (const type of ["f32", "i32", "u32"] as const) {
          for (const schedule of SCHEDULES) {
            if (schedule.kind === "subgroups" || subgroupSize === 4)
              await check(device, { fn, type, shape, axis }, schedule);
          }
        }
      }
    }
    device.destroy();
  }, 120_000);
}

const opened: Device[] = [];
afterAll(() => opened.forEach((device) => device.destroy()));

test.skipIf(webGpuMissing !== undefined)(
  `scans on WebGPU in Node${webGpuMissing ? ` (${webGpuMissing})` : ""}`,
  async () => {
    const device = await openNodeWebGpu();
    opened.push(device);
    for (const [shape, axis] of CASES) {
      for (const schedule of SCHEDULES) {
        if (schedule.kind === "subgroups" && !device.info.hasSubgroups) continue;
        await check(device, { fn: "sum", type: "f32", shape, axis }, schedule);
      }
    }
  },
  120_000,
);

test("long lines are a team's on a GPU, in subgroups where there are any, and an invocation's on a processor", () => {
  const long: Scan = { fn: "sum", type: "f32", shape: [4, 1000], axis: 1 };
  const first = (traits: Partial<typeof PLAIN_DEVICE>): string | undefined =>
    scanCandidates(long, { ...PLAIN_DEVICE, ...traits })[0]?.kind;
  expect(first({})).toBe("invocation");
  expect(first({ isSoftware: false })).toBe("workgroup");
  expect(first({ isSoftware: false, hasSubgroups: true })).toBe("subgroups");
  expect(scanCandidates({ ...long, shape: [1000, 4] }, { ...PLAIN_DEVICE, isSoftware: false })).toHaveLength(1);
});
