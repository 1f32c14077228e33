import { expect, test } from "vitest";
import { Random } from "../../../../src/base/random.ts";
import type { Device } from "../../../../src/compute/device/device.ts";
import type { Kernel } from "../../../../src/compute/lang/kernel.ts";
import { compileJavaScript, printJavaScript } from "../../../../src/compute/lang/print-javascript.ts";
import { printWgsl } from "../../../../src/compute/lang/print-wgsl.ts";
import type { LoopNest } from "../../../../src/compute/lang/schedule/loop-nest.ts";
import { lowerNest } from "../../../../src/compute/lang/schedule/lower-nest.ts";
import { openNodeWebGpu, webGpuMissing } from "../../device/devices.ts";
import { runOn, type Arrays } from "../check-kernels.ts";
import { randomValues } from "./random-nest.ts";
import { runNest } from "./run-nest.ts";
import { naiveProduct, naiveStencil, tiledProduct, tiledStencil, type Sizes, type Tile } from "./tiled-product.ts";

const SCHEDULES = 120;
const REAL: Tile = { lanes: [8, 8], registers: [4, 4], depth: 16, holds: true, shares: true, unrolls: true };

function randomTile(random: Random): Tile {
  const flag = (): boolean => random.below(3) > 0;
  return {
    lanes: [1 + random.below(4), 1 + random.below(4)],
    registers: [1 + random.below(3), 1 + random.below(3)],
    depth: 1 + random.below(5),
    holds: flag(),
    shares: flag(),
    unrolls: flag(),
  };
}

function randomSizes(random: Random): Sizes {
  return { m: 2 + random.below(12), n: 2 + random.below(12), k: 1 + random.below(12) };
}

/** The bindings after a kernel on JavaScript, watched for races. */
function run(kernel: Kernel, arrays: Arrays): Arrays {
  const out = arrays.map((array) => array.slice()) as Arrays;
  compileJavaScript(printJavaScript(kernel, { checksRaces: true }))(out, 0, kernel.invocations);
  return out;
}

/** Random naive nests with their schedules. */
function* pairs(type: "f32" | "i32", count: number): Generator<[string, LoopNest, LoopNest, Arrays]> {
  for (let seed = 1; seed <= count; seed++) {
    const random = new Random(seed, "tiled");
    const isProduct = random.below(3) > 0;
    const [sizes, tile] = [randomSizes(random), randomTile(random)];
    const naive = isProduct ? naiveProduct(sizes, type) : naiveStencil(sizes.m, sizes.n, 1 + random.below(3), type);
    const scheduled = isProduct ? tiledProduct(naive, tile) : tiledStencil(naive, tile.lanes);
    const words = `seed ${seed}: ${naive.name} ${JSON.stringify(sizes)} ${JSON.stringify(tile)}`;
    yield [words, naive, scheduled, randomValues(random, naive)];
  }
}

test(`${SCHEDULES} products and stencils from shared tiles and registers, of sizes that tiles do not divide, are exact`, () => {
  for (const [words, naive, scheduled, arrays] of pairs("i32", SCHEDULES)) {
    const expected = runNest(naive, arrays).arrays;
    expect(run(lowerNest(scheduled), arrays), words).toEqual(expected);
    expect(runNest(scheduled, arrays).arrays.slice(0, arrays.length), words).toEqual(expected);
  }
});

/** |error| of k products summed in f32, in any order and fused or not, for |a|, |b| <= 5. */
function boundOf({ k }: Sizes): number {
  return (k + 1) * k * 25 * 2 ** -24;
}

function within(found: Arrays, expected: Arrays, bound: number): void {
  const [a, b] = [found[2] ?? [], expected[2] ?? []];
  expect(a.length).toBe(b.length);
  for (let i = 0; i < b.length; i++) expect(Math.abs((a[i] ?? Number.NaN) - (b[i] ?? 0))).toBeLessThanOrEqual(bound);
}

test("a product from its naive nest: tiles in shared memory and registers, written out, equals the naive one", () => {
  const sizes: Sizes = { m: 64, n: 96, k: 40 };
  const naive = naiveProduct(sizes, "f32");
  const kernel = lowerNest(tiledProduct(naive, REAL));
  const arrays = randomValues(new Random(3, "product"), naive);
  within(run(kernel, arrays), run(lowerNest(naive), arrays), boundOf(sizes));
  // 32 x 32 outputs a workgroup; tiles of a and b, 16 deep; no accumulator in memory, no condition on k but the last tile's.
  expect(kernel.workgroup).toEqual({ lanes: 64, shared: [512, 512].map((length) => ({ type: "f32", length })) });
  expect(kernel.invocations).toBe(2 * 3 * 64);
  expect(kernel.bindings.map(({ access }) => access)).toEqual(["read", "read", "write"]);
  const wgsl = printWgsl(kernel);
  expect(wgsl.match(/workgroupBarrier/g)).toHaveLength(2);
  expect(wgsl).not.toContain("array<f32, 16>");
});

async function holdsOn(device: Device): Promise<void> {
  const sizes: Sizes = { m: 70, n: 50, k: 40 };
  const naive = naiveProduct(sizes, "f32");
  const arrays = randomValues(new Random(4, "product"), naive);
  const tiled = await runOn(device, lowerNest(tiledProduct(naive, REAL)), arrays);
  within(tiled, await runOn(device, lowerNest(naive), arrays), boundOf(sizes));
  for (const [words, exact, scheduled, values] of pairs("i32", 12)) {
    expect(await runOn(device, lowerNest(scheduled), values), words).toEqual(runNest(exact, values).arrays);
  }
}

const note = webGpuMissing === undefined ? "" : ` (skipped: ${webGpuMissing})`;
test.skipIf(webGpuMissing !== undefined)(
  `products and stencils from tiles equal naive ones on WebGPU${note}`,
  { timeout: 120_000 },
  async () => {
    const device = await openNodeWebGpu();
    try {
      await holdsOn(device);
    } finally {
      device.destroy();
    }
  },
);
