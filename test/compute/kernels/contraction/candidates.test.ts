import { expect, test } from "vitest";
import { contractionCandidates } from "../../../../src/compute/kernels/contraction/candidates.ts";
import { contractionScheduleName, type Contraction } from "../../../../src/compute/kernels/contraction/schedule.ts";
import { PLAIN_DEVICE, type DeviceTraits } from "../../../../src/compute/kernels/device-traits.ts";

const NN = { left: "N", right: "N" } as const;
const NT = { left: "N", right: "T" } as const;

const LAVAPIPE: DeviceTraits = { ...PLAIN_DEVICE, hasSubgroups: true, subgroupSize: 8 };
const GPU: DeviceTraits = {
  isSoftware: false,
  hasSubgroups: true,
  subgroupSize: 32,
  limits: { workgroupBytesMax: 2 ** 15, workgroupLanesMax: 1024 },
};
const SMALL_GPU: DeviceTraits = { ...GPU, hasSubgroups: false, subgroupSize: null, limits: PLAIN_DEVICE.limits };

function product(rows: number, inner: number, columns: number, batch: number = 1): Contraction {
  return { batch, rows, columns, inner };
}

const PRODUCTS = [
  product(1, 1, 1), product(1, 4096, 1), product(1, 4096, 1000), product(1000, 4096, 1), product(3, 7, 5),
  product(64, 16, 64, 32), product(512, 64, 65), product(2, 300, 3, 7), product(1024, 1024, 1024),
]; // prettier-ignore

test("every product has candidates on every device, each within its limits and once", () => {
  for (const traits of [PLAIN_DEVICE, LAVAPIPE, GPU, SMALL_GPU]) {
    for (const each of PRODUCTS) {
      for (const layouts of [NN, NT]) {
        const schedules = contractionCandidates(each, layouts, traits);
        const names = schedules.map(contractionScheduleName);
        expect(names.length).toBeGreaterThan(0);
        expect(new Set(names).size).toBe(names.length);
        for (const schedule of schedules) {
          if (schedule.kind === "subgroups") expect(schedule.size).toBe(traits.subgroupSize);
          if (schedule.kind !== "workgroup") continue;
          const { lanesDown, lanesAcross, rows, columns, steps } = schedule;
          expect(lanesDown * lanesAcross).toBeLessThanOrEqual(traits.limits.workgroupLanesMax);
          const bytes = 4 * (steps + 4) * (lanesDown * rows + lanesAcross * columns);
          expect(bytes).toBeLessThanOrEqual(traits.limits.workgroupBytesMax);
        }
      }
    }
  }
});

test("the default is registers or subgroups on processors, and workgroup memory on GPUs, in blocks that keep them busy", () => {
  const usual = (each: Contraction, traits: DeviceTraits, layouts: typeof NN | typeof NT = NN): string => {
    const [first] = contractionCandidates(each, layouts, traits);
    return first === undefined ? "" : contractionScheduleName(first);
  };
  expect(usual(product(512, 512, 512), PLAIN_DEVICE)).toBe("registers 8x8 by 1");
  expect(usual(product(512, 512, 512), LAVAPIPE)).toBe("subgroups of 8, 16x4 by 2");
  expect(usual(product(64, 16, 64, 32), LAVAPIPE)).toBe("subgroups of 8, 8x4 by 1");
  // Lanes beyond 65 columns would be idle.
  expect(usual(product(512, 64, 65), LAVAPIPE)).toBe("subgroups of 8, 8x2 by 1");
  expect(usual(product(1, 512, 512), LAVAPIPE)).toMatch(/^registers 1x/);
  expect(usual(product(4096, 4096, 4096), GPU)).toBe("workgroup of 16x16, 8x8 by 16");
  expect(usual(product(512, 512, 512), GPU)).toBe("workgroup of 8x8, 4x4 by 16");
  expect(usual(product(1, 4096, 1000), GPU, NT)).toBe("line of 64");
  expect(usual(product(1, 4096, 1000), GPU)).toMatch(/^registers/);
});
