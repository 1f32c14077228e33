/** Runs random kernels on a device, and holds what it computes against what they mean. */
import { expect } from "vitest";
import { Random } from "../../../src/base/random.ts";
import type { Device } from "../../../src/compute/device/device.ts";
import { store } from "../../../src/compute/lang/statements.ts";
import { INVOCATION, SUBGROUP_SIZE, type Kernel } from "../../../src/compute/lang/kernel.ts";
import type { Bounded } from "./bounded.ts";
import { LENGTH, randomArrays } from "./random-kernel.ts";
import { runBounded } from "./run-bounded.ts";

/** The seed of the first kernel, and how many there are. */
export interface Seeds {
  readonly first: number;
  readonly count: number;
}

export type Arrays = (Float32Array | Int32Array | Uint32Array)[];

/** The arrays after the kernel. */
export async function runOn(device: Device, kernel: Kernel, arrays: Arrays): Promise<Arrays> {
  const buffers = arrays.map((array) => {
    const buffer = device.createBuffer(array.byteLength);
    device.write(buffer, new Uint8Array(array.buffer as ArrayBuffer));
    return buffer;
  });
  const made = await device.createKernel(kernel);
  device.submit(device.record([{ kind: "dispatch", kernel: made, buffers }]));
  const out = await Promise.all(buffers.map((buffer) => device.read(buffer)));
  for (const buffer of buffers) buffer.destroy();
  return out.map(({ buffer }, i) => {
    if (arrays[i] instanceof Float32Array) return new Float32Array(buffer);
    return arrays[i] instanceof Int32Array ? new Int32Array(buffer) : new Uint32Array(buffer);
  });
}

/** How many lanes its subgroups have. */
export async function subgroupSizeOf(device: Device): Promise<number> {
  const kernel: Kernel = {
    name: "subgroup size",
    bindings: [{ type: "i32", access: "write", length: 64 }],
    invocations: 64,
    workgroup: { lanes: 64, shared: [] },
    body: [store(0, INVOCATION, SUBGROUP_SIZE)],
  };
  const [sizes] = await runOn(device, kernel, [new Int32Array(64)]);
  return sizes?.[0] ?? expect.fail("no size");
}

/** How many results were decided; throws at the first outside its bound. */
function compare(found: Arrays, expected: Bounded[][], context: string): number {
  let decided = 0;
  for (const [binding, values] of expected.entries()) {
    for (const [i, { value, bound }] of values.entries()) {
      if (binding < 3 || bound === Infinity) continue;
      const got = found[binding]?.[i] ?? Number.NaN;
      // The store itself rounds once more.
      const allowed = found[binding] instanceof Float32Array ? bound + Math.abs(value) * 2 ** -24 : 0;
      if (!(Math.abs(got - value) <= allowed)) {
        expect.fail(`${context}: binding ${binding}[${i}]: expected ${value} within ${allowed}, found ${got}`);
      }
      decided += 1;
    }
  }
  return decided;
}

/** Checks a kernel for each seed; the share of results that the bounds decide. */
export async function checkKernels(
  device: Device,
  seeds: Seeds,
  make: (random: Random) => Kernel,
  subgroupSize: number = 32,
): Promise<number> {
  let decided = 0;
  for (let seed = seeds.first; seed < seeds.first + seeds.count; seed++) {
    const random = new Random(seed, "oracle");
    const kernel = make(random);
    const arrays = randomArrays(random);
    const expected = runBounded(kernel, arrays, subgroupSize);
    decided += compare(await runOn(device, kernel, arrays), expected, `seed ${seed}`);
  }
  return decided / (seeds.count * 3 * LENGTH);
}
