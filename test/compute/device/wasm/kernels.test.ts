/** Kernels of each kind, as they are lowered for WebAssembly, against the interpreter. `npm run kernels` takes all. */
import { expect, test } from "vitest";
import { present } from "../../../../src/base/assert.ts";
import { Random } from "../../../../src/base/random.ts";
import { lower } from "../../../../src/compute/compiler/lower.ts";
import { DEFAULT_CHOICES } from "../../../../src/compute/compiler/tuning/choices.ts";
import { microProblem } from "../../../../src/compute/compiler/tuning/micro-problem.ts";
import type { Problem } from "../../../../src/compute/compiler/tuning/problem.ts";
import type { Device } from "../../../../src/compute/device/device.ts";
import { openWasmDevice } from "../../../../src/compute/device/wasm/open-wasm-device.ts";
import type { Kernel } from "../../../../src/compute/lang/kernel.ts";
import { checkKernel, randomArray, type CheckedDevice } from "../check-kernel.ts";
import { whenNobodyLooks } from "../checking-device.ts";
import { summarizeFates } from "../kernel-fates.ts";
import { allowRelaxedSimd } from "./relaxed-simd.ts";

const N = { layout: "N", dtype: "float32" } as const;
const T = { layout: "T", dtype: "float32" } as const;
const HALF = { layout: "N", dtype: "float16" } as const;

const PROBLEMS: readonly Problem[] = [
  { kind: "contraction", batch: 1, rows: 33, inner: 47, columns: 35, left: N, right: N },
  { kind: "contraction", batch: 2, rows: 16, inner: 64, columns: 24, left: T, right: N },
  { kind: "contraction", batch: 1, rows: 8, inner: 40, columns: 8, left: N, right: T },
  { kind: "contraction", batch: 1, rows: 12, inner: 20, columns: 9, left: HALF, right: N },
  { kind: "contraction", batch: 1, rows: 1, inner: 300, columns: 5, left: N, right: N },
  { kind: "elementwise", dtype: "float32", count: 1003, loads: 3, stores: 2, isHeavy: true },
  { kind: "elementwise", dtype: "int32", count: 257, loads: 2, stores: 1, isHeavy: true },
  { kind: "elementwise", dtype: "float16", count: 130, loads: 2, stores: 1, isHeavy: false },
  { kind: "rows", dtype: "float32", rows: 7, columns: 130, isAcross: false, sweeps: 3, reductions: 3, loads: 2, stores: 1, isHeavy: false }, // prettier-ignore
  { kind: "rows", dtype: "float32", rows: 66, columns: 21, isAcross: true, sweeps: 2, reductions: 2, loads: 1, stores: 1, isHeavy: false }, // prettier-ignore
  { kind: "scan", dtype: "float32", fn: "sum", lines: 5, size: 200 },
  { kind: "scan", dtype: "uint32", fn: "maximum", lines: 3, size: 77 },
  ...(["forward", "gradQuery", "gradKeyValue"] as const).map(
    (part): Problem => ({ kind: "attention", part, batch: 1, group: 2, queries: 20, keys: 20, depth: 8, width: 8, causal: true }), // prettier-ignore
  ),
];

async function openProcessors(): Promise<{ device: Device; checked: CheckedDevice }[]> {
  const kinds = allowRelaxedSimd() ? [true, false] : [false];
  return await Promise.all(
    kinds.map(async (usesMultiplyAdd) => {
      const device = await openWasmDevice({ usesMultiplyAdd });
      return { device, checked: whenNobodyLooks(device, device.info.name) };
    }),
  );
}

function kernelsOf(problem: Problem, { info }: Device): readonly Kernel[] {
  const { outputs } = microProblem(problem);
  return lower(outputs, info.limits.bindingsMax, { choices: DEFAULT_CHOICES, traits: info }).kernels.map(
    ({ kernel }) => kernel,
  );
}

test("kernels of each kind give the interpreter's results, within bounds derived for their operations", async () => {
  const opened = await openProcessors();
  const fates = [];
  for (const problem of PROBLEMS) {
    for (const kernel of kernelsOf(problem, present(opened[0], "a device").device)) {
      fates.push(
        ...(await checkKernel(
          kernel,
          (binding, i) => randomArray(binding, new Random(i, kernel.name)),
          opened.map(({ checked }) => checked),
        )),
      );
    }
  }
  for (const summary of summarizeFates(fates)) {
    expect(summary).toMatchObject({ large: 0, subgroups: 0 });
    expect(summary.kernels).toBeGreaterThanOrEqual(PROBLEMS.length);
    expect(summary.worst.ratio).toBeLessThanOrEqual(1);
    expect(summary.sameBits / summary.elements).toBeGreaterThan(0.5);
  }
  for (const { device } of opened) device.destroy();
});

test("a result that is a few units of the last place off is found", async () => {
  const [first, ...others] = await openProcessors();
  const { device, checked } = present(first, "a device");
  const broken: CheckedDevice = {
    ...checked,
    read: async (buffer) => {
      const bytes = await checked.read(buffer);
      const words = new Uint32Array(bytes.buffer);
      words[5] = (words[5] ?? 0) + 64;
      return bytes;
    },
  };
  const [kernel] = kernelsOf({ kind: "elementwise", dtype: "float32", count: 64, loads: 2, stores: 1, isHeavy: false }, device); // prettier-ignore
  const arrayOf: Parameters<typeof checkKernel>[1] = (binding, i) => randomArray(binding, new Random(i, "broken"));
  await expect(checkKernel(present(kernel, "a kernel"), arrayOf, [broken])).rejects.toThrow(
    /expected .* within .* at 5, found/,
  );
  for (const { device: each } of [present(first, "a device"), ...others]) each.destroy();
});
