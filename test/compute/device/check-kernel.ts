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
import type { Command, Device, DeviceBuffer, DeviceKernel } from "../../../src/compute/device/device.ts";
import { countOperations } from "../../../src/compute/lang/count-operations.ts";
import { usesSubgroups } from "../../../src/compute/lang/features.ts";
import type { Binding, Kernel } from "../../../src/compute/lang/kernel.ts";
import { kernelKey } from "../../../src/compute/lang/kernel-key.ts";
import { compileJavaScript, printJavaScript, type KernelArray } from "../../../src/compute/lang/print-javascript.ts";
import { runBounded } from "../lang/run-bounded.ts";

/** More work than this takes the interpreter too long. */
const OPERATIONS_MAX = 3e7;
const ELEMENTS_MAX = 2e7;
const BOUNDED_MAX = 3e5;
const TOLERANCE = 1e-4;

/** What becomes of a kernel. */
type Fate = "checked" | "large" | "subgroups";

const seen = new Set<string>();

/**
 * Makes `device` check each kernel that it is asked for; what became of it is a line of `file`. Packed kernels are
 * checked when they are recorded, with the table that tells where their arrays are; reading waits for that.
 */
export function checkingKernels(device: Device, file: string): Device {
  const inner: Inner = {
    record: device.record.bind(device),
    read: device.read.bind(device),
    createKernel: device.createKernel.bind(device),
  };
  const { subgroupSize } = device.info;
  const packed: Promise<void>[] = [];
  const isNew = (kernel: Kernel): boolean => {
    const key = kernelKey(kernel);
    return !seen.has(key) && seen.add(key).size > 0;
  };
  const check = async (made: DeviceKernel, arrayOf: (binding: Binding, i: number) => KernelArray): Promise<void> => {
    const { kernel } = made;
    const reason = leftOut(kernel, subgroupSize);
    appendFileSync(file, `${reason ?? "checked"}\n`);
    if (reason !== undefined) return;
    const arrays: KernelArray[] = [];
    for (const [i, binding] of kernel.bindings.entries()) {
      arrays.push(arrays[binding.aliasOf ?? -1] ?? arrayOf(binding, i));
    }
    compare(kernel, arrays, await run(device, inner, made, arrays), subgroupSize ?? 1);
  };
  return Object.assign(device, {
    createKernel: async (kernel: Kernel) => {
      const made = await inner.createKernel(kernel);
      if (isPacked(kernel) || !isNew(kernel)) return made;
      await check(made, (binding, i) => randomArray(binding, new Random(i, kernel.name)));
      return made;
    },
    record: (commands: readonly Command[]) => {
      for (const command of commands) {
        if (command.kind === "copy" || !isPacked(command.kernel.kernel) || !isNew(command.kernel.kernel)) continue;
        const [table] = command.buffers;
        if (table === undefined) continue;
        const bytes = inner.read(table);
        packed.push(
          bytes.then(({ buffer }) =>
            check(command.kernel, (binding, i) => (i === 0 ? new Int32Array(buffer) : waves(binding))),
          ),
        );
      }
      return inner.record(commands);
    },
    read: async (buffer: DeviceBuffer, bytes?: number) => {
      // Asked for at once: it gives what was submitted before, not what comes while others are waited for.
      const found = inner.read(buffer, bytes);
      await Promise.all(packed.splice(0));
      return await found;
    },
  });
}

/** What a device does when nobody looks. */
type Inner = Pick<Device, "record" | "read" | "createKernel">;

/** Its arrays lie in slabs, where a table says. */
function isPacked({ bindings }: Kernel): boolean {
  return bindings[0]?.type === "i32" && bindings.some(({ aliasOf }) => aliasOf !== undefined);
}

/** The bytes of the arrays after the kernel; two bindings of one array are one buffer. */
async function run(
  device: Device,
  { record, read }: Inner,
  made: DeviceKernel,
  arrays: readonly KernelArray[],
): Promise<Uint8Array[]> {
  const buffers: DeviceBuffer[] = [];
  for (const [i, array] of arrays.entries()) {
    const known = buffers[made.kernel.bindings[i]?.aliasOf ?? -1];
    const buffer = known ?? device.createBuffer(Math.ceil(array.byteLength / 4) * 4);
    const bytes = new Uint8Array(buffer.bytes);
    bytes.set(new Uint8Array(array.buffer, 0, array.byteLength));
    if (known === undefined) device.write(buffer, bytes);
    buffers.push(buffer);
  }
  device.submit(record([{ kind: "dispatch", kernel: made, buffers }]));
  const found = await Promise.all(buffers.map((buffer) => read(buffer)));
  for (const buffer of new Set(buffers)) buffer.destroy();
  return found;
}

/** Values for a slab: drawing millions takes long. */
function waves({ length }: Binding): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length }, (_, i) => Math.fround(Math.sin(i) * 2));
}

function leftOut(kernel: Kernel, subgroupSize: number | null): Exclude<Fate, "checked"> | undefined {
  const elements = kernel.bindings.reduce((sum, { length }) => sum + length, 0);
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
  const arrays: KernelArray[] = [];
  for (const [i, array] of before.entries()) arrays.push(arrays[kernel.bindings[i]?.aliasOf ?? -1] ?? array.slice());
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
