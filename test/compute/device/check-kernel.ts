/**
 * A generated kernel on a device against its own meaning: the same tree on the interpreter, over random arrays.
 *
 * `npm run kernels` runs the whole suite with this in every kernel's way. Results count as equal within 1e-4 of the
 * largest of their array: that is above the rounding of sums of some thousand terms, and far below a wrong index. What
 * is further apart is decided by error bounds (`../lang/bounded.ts`), for a comparison may fall on the other side.
 */
import { appendFileSync } from "node:fs";
import { InvariantError } from "../../../src/base/errors.ts";
import { float16OfBits } from "../../../src/base/float16.ts";
import { Random } from "../../../src/base/random.ts";
import type { Device } from "../../../src/compute/device/device.ts";
import { countOperations } from "../../../src/compute/lang/count-operations.ts";
import { usesSubgroups } from "../../../src/compute/lang/features.ts";
import type { Binding, Kernel } from "../../../src/compute/lang/kernel.ts";
import { kernelKey } from "../../../src/compute/lang/kernel-key.ts";
import { compileJavaScript, printJavaScript, type KernelArray } from "../../../src/compute/lang/print-javascript.ts";
import { runBounded } from "../lang/run-bounded.ts";

/** More work than this takes the interpreter too long. */
const OPERATIONS_MAX = 3e7;
const ELEMENTS_MAX = 2e6;
const BOUNDED_MAX = 3e5;
const TOLERANCE = 1e-4;

/** What becomes of a kernel. */
type Fate = "checked" | "large" | "packed" | "subgroups";

const seen = new Set<string>();

/** Makes `device` check each kernel that it is asked for; what became of it is a line of `file`. */
export function checkingKernels(device: Device, file: string): Device {
  const createKernel = device.createKernel.bind(device);
  return Object.assign(device, {
    createKernel: async (kernel: Kernel) => {
      const made = await createKernel(kernel);
      const key = kernelKey(kernel);
      if (seen.has(key)) return made;
      seen.add(key);
      const { subgroupSize } = device.info;
      const reason = leftOut(kernel, subgroupSize);
      appendFileSync(file, `${reason ?? "checked"}\n`);
      if (reason === undefined) {
        const arrays = kernel.bindings.map((binding, i) => randomArray(binding, new Random(i, kernel.name)));
        const buffers = arrays.map((array) => {
          const buffer = device.createBuffer(Math.ceil(array.byteLength / 4) * 4);
          const bytes = new Uint8Array(buffer.bytes);
          bytes.set(new Uint8Array(array.buffer, 0, array.byteLength));
          device.write(buffer, bytes);
          return buffer;
        });
        device.submit(device.record([{ kind: "dispatch", kernel: made, buffers }]));
        const found = await Promise.all(buffers.map((buffer) => device.read(buffer)));
        for (const buffer of buffers) buffer.destroy();
        compare(kernel, arrays, found, subgroupSize ?? 1);
      }
      return made;
    },
  });
}

function leftOut(kernel: Kernel, subgroupSize: number | null): Exclude<Fate, "checked"> | undefined {
  const elements = kernel.bindings.reduce((sum, { length }) => sum + length, 0);
  // Random places of parts would overlap; their kernels are the parts', and test/compute/lang/pack.test.ts packs them.
  if (kernel.bindings.some(({ aliasOf }) => aliasOf !== undefined)) return "packed";
  // The interpreter needs to know which lanes talk to each other.
  if (usesSubgroups(kernel) && subgroupSize === null) return "subgroups";
  return elements > ELEMENTS_MAX || countOperations(kernel) > OPERATIONS_MAX ? "large" : undefined;
}

function randomArray({ type, length }: Binding, random: Random): KernelArray {
  const number = (): number => Math.round(random.normal() * 1024) / 1024;
  switch (type) {
    case "f32":
      return Float32Array.from({ length }, number);
    case "f16":
      // Bits of halves between 1/2 and 2, either sign.
      return Uint16Array.from({ length }, () => 0x3800 + (random.uint32() & 0x7ff) + (random.uint32() & 0x8000));
    case "i32":
      return Int32Array.from({ length }, () => (random.uint32() % 40) - 2);
    case "u32":
      return Uint32Array.from({ length }, () => random.uint32() % 3);
  }
}

function compare(
  kernel: Kernel,
  before: readonly KernelArray[],
  found: readonly Uint8Array[],
  subgroupSize: number,
): void {
  const arrays = before.map((array) => array.slice());
  compileJavaScript(printJavaScript(kernel))(arrays, 0, kernel.invocations, subgroupSize);
  for (const [i, binding] of kernel.bindings.entries()) {
    if (binding.access === "read") continue;
    const expected = numbersOf(binding, arrays[i] as KernelArray);
    const got = numbersOf(binding, arrayOver(binding, found[i] as Uint8Array));
    const scale = expected.reduce(
      (most, value) => (Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most),
      0,
    );
    const isFar = (at: number): boolean => {
      const [a, b] = [expected[at] ?? 0, got[at] ?? 0];
      // Devices may compute anything from what is no number.
      return Number.isFinite(a) && Number.isFinite(b) && Math.abs(a - b) > TOLERANCE * scale;
    };
    const far = expected.map((_, at) => at).filter(isFar);
    if (far.length > 0) decide(kernel, before, i, far, got, subgroupSize);
  }
}

/** Throws for a result that no rounding explains. */
function decide(
  kernel: Kernel,
  before: readonly KernelArray[],
  binding: number,
  far: readonly number[],
  got: readonly number[],
  subgroupSize: number,
): void {
  const isSmall = countOperations(kernel) < BOUNDED_MAX && kernel.bindings.every(({ type }) => type !== "f16");
  const bounded = isSmall ? runBounded(kernel, before, subgroupSize)[binding] : undefined;
  for (const at of far) {
    const { value, bound } = bounded?.[at] ?? { value: Number.NaN, bound: 0 };
    if (Math.abs((got[at] ?? 0) - value) <= bound + Math.abs(value) * 2 ** -23 || bound === Infinity) continue;
    throw new InvariantError(`kernel ${kernel.name}: expected ${value} within ${bound} at ${at}, found ${got[at]}`);
  }
}

function arrayOver({ type, length }: Binding, bytes: Uint8Array): KernelArray {
  const { buffer } = bytes.slice();
  if (type === "f32") return new Float32Array(buffer, 0, length);
  if (type === "f16") return new Uint16Array(buffer, 0, length);
  return type === "i32" ? new Int32Array(buffer, 0, length) : new Uint32Array(buffer, 0, length);
}

function numbersOf({ type }: Binding, array: KernelArray): number[] {
  return Array.from(array, (value) => (type === "f16" ? float16OfBits(value) : value));
}
