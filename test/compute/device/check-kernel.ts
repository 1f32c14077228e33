/**
 * A generated kernel on devices against its own meaning: the same tree on the interpreter, over random arrays.
 *
 * Many results have the interpreter's bits. Others differ by roundings: the interpreter keeps doubles between its loads
 * and stores, where a device rounds every product and sum, or once for both if it fuses them; an exponential is a
 * polynomial; lanes add in another order. How far they may be apart is
 * derived, operation by operation (`../lang/bounded.ts`): every element that a part of the workgroups stores is held
 * against its bound, for small kernels all. What no bound was derived for must be within 1e-4 of the largest of its
 * array: above the rounding of sums of some thousand terms, far below a wrong index.
 */
import { InvariantError } from "../../../src/base/errors.ts";
import { float16OfBits } from "../../../src/base/float16.ts";
import type { Random } from "../../../src/base/random.ts";
import type { Device, DeviceBuffer, DeviceKernel } from "../../../src/compute/device/device.ts";
import { countOperations } from "../../../src/compute/lang/count-operations.ts";
import { usesSubgroups } from "../../../src/compute/lang/features.ts";
import type { Binding, Kernel, Statement } from "../../../src/compute/lang/kernel.ts";
import { compileJavaScript, printJavaScript, type KernelArray } from "../../../src/compute/lang/print-javascript.ts";
import { runSomeBounded, workgroupsOf, type BoundedElements } from "../lang/run-bounded.ts";
import type { KernelFate } from "./kernel-fates.ts";

/** More work than this takes the interpreter too long. */
const OPERATIONS_MAX = 3e7;
const ELEMENTS_MAX = 2e7;
/** Operations that are followed with bounds. */
const BOUNDED_OPERATIONS = 5e4;
const TOLERANCE = 1e-4;

/** A device that is checked, by its functions when nobody looks. */
export interface CheckedDevice extends Pick<
  Device,
  "info" | "record" | "read" | "createKernel" | "createBuffer" | "write" | "submit"
> {
  // prettier-ignore
  /** For people. */
  readonly called: string;
}

/** What each of `devices` makes of a kernel, over the same arrays. @throws InvariantError for a result that no rounding explains */
export async function checkKernel(
  kernel: Kernel,
  arrayOf: (binding: Binding, i: number) => KernelArray,
  devices: readonly CheckedDevice[],
): Promise<KernelFate[]> {
  const fates: KernelFate[] = [];
  const meanings = new Map<number, Meaning>();
  let before: KernelArray[] | undefined;
  for (const device of devices) {
    const { subgroupSize } = device.info;
    const leftOut = reasonToLeaveOut(kernel, subgroupSize);
    if (leftOut !== null) {
      fates.push({ on: device.called, kernel: kernel.name, leftOut, elements: 0, sameBits: 0, bounded: 0, worstRatio: 0 }); // prettier-ignore
      continue;
    }
    before ??= arraysOf(kernel, arrayOf);
    const lanes = usesSubgroups(kernel) ? (subgroupSize ?? 1) : 1;
    const meaning = meanings.get(lanes) ?? new Meaning(kernel, before, lanes);
    meanings.set(lanes, meaning);
    const found = await run(device, await device.createKernel(kernel), before);
    fates.push({ on: device.called, kernel: kernel.name, leftOut, ...meaning.compare(found, device.called) });
  }
  return fates;
}

/** Arrays for a kernel's bindings; two of one array have one. */
function arraysOf(kernel: Kernel, arrayOf: (binding: Binding, i: number) => KernelArray): KernelArray[] {
  const arrays: KernelArray[] = [];
  for (const [i, binding] of kernel.bindings.entries()) {
    arrays.push(arrays[binding.aliasOf ?? -1] ?? arrayOf(binding, i));
  }
  return arrays;
}

/** The bytes of the arrays after the kernel; two bindings of one array are one buffer. */
async function run(device: CheckedDevice, made: DeviceKernel, arrays: readonly KernelArray[]): Promise<Uint8Array[]> {
  const buffers: DeviceBuffer[] = [];
  for (const [i, array] of arrays.entries()) {
    const known = buffers[made.kernel.bindings[i]?.aliasOf ?? -1];
    const buffer = known ?? device.createBuffer(Math.ceil(array.byteLength / 4) * 4);
    const bytes = new Uint8Array(buffer.bytes);
    bytes.set(new Uint8Array(array.buffer, 0, array.byteLength));
    if (known === undefined) device.write(buffer, bytes);
    buffers.push(buffer);
  }
  device.submit(device.record([{ kind: "dispatch", kernel: made, buffers }]));
  const found = await Promise.all(buffers.map((buffer) => device.read(buffer)));
  for (const buffer of new Set(buffers)) buffer.destroy();
  return found;
}

/** Values for a slab: drawing millions takes long. */
export function waves({ length }: Binding): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length }, (_, i) => Math.fround(Math.sin(i) * 2));
}

function reasonToLeaveOut(kernel: Kernel, subgroupSize: number | null): KernelFate["leftOut"] {
  const elements = kernel.bindings.reduce((sum, { length }) => sum + length, 0);
  // The interpreter needs to know which lanes talk to each other, and some kernels name lanes.
  if (usesSubgroups(kernel) && (subgroupSize === null || lanesNamed(kernel.body) > subgroupSize)) return "subgroups";
  return elements > ELEMENTS_MAX || countOperations(kernel) > OPERATIONS_MAX ? "large" : null;
}

/** Lanes that a subgroup must have for what is asked of it by number. */
function lanesNamed(body: readonly Statement[]): number {
  const each = body.map((statement) => {
    if (statement.kind === "for" || statement.kind === "if") return lanesNamed(statement.body);
    return statement.kind === "subgroup" ? 1 + Math.max(statement.mask ?? 0, statement.lane ?? 0) : 1;
  });
  return Math.max(1, ...each);
}

export function randomArray({ type, length }: Binding, random: Random): KernelArray {
  // Of all bits, so that products round.
  const number = (): number => random.normal();
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

/** What a kernel does to its arrays, by the interpreter, and within which bounds. */
class Meaning {
  readonly #kernel: Kernel;
  readonly #before: readonly KernelArray[];
  readonly #subgroupSize: number;
  readonly #after: readonly KernelArray[];
  #bounds: readonly BoundedElements[] | undefined;

  constructor(kernel: Kernel, before: readonly KernelArray[], subgroupSize: number) {
    this.#kernel = kernel;
    this.#before = before;
    this.#subgroupSize = subgroupSize;
    const after: KernelArray[] = [];
    for (const [i, array] of before.entries()) after.push(after[kernel.bindings[i]?.aliasOf ?? -1] ?? array.slice());
    compileJavaScript(printJavaScript(kernel))(after, 0, kernel.invocations, subgroupSize);
    this.#after = after;
  }

  /** @throws InvariantError for a result that no rounding explains */
  compare(
    found: readonly Uint8Array[],
    device: string,
  ): Pick<KernelFate, "elements" | "sameBits" | "bounded" | "worstRatio"> {
    const fate = { elements: 0, sameBits: 0, bounded: 0, worstRatio: 0 };
    for (const [i, binding] of this.#kernel.bindings.entries()) {
      if (binding.access === "read") continue;
      const expected = this.#after[i] as KernelArray;
      const got = arrayOver(binding, found[i] as Uint8Array);
      const differing = differingPlaces(expected, got);
      fate.elements += expected.length;
      fate.sameBits += expected.length - differing.length;
      if (differing.length === 0) continue;
      const [wanted, numbers] = [numbersOf(binding, expected), numbersOf(binding, got)];
      const scale = wanted.reduce((most, x) => (Number.isFinite(x) ? Math.max(most, Math.abs(x)) : most), 0);
      for (const at of differing) {
        const ratio = this.#ratio(i, at, numbers[at] ?? 0, wanted[at] ?? 0, scale, device);
        if (ratio === null) continue;
        fate.bounded += 1;
        fate.worstRatio = Math.max(fate.worstRatio, ratio);
      }
    }
    return fate;
  }

  /** Which part of its bound a result is away; null where it has none. */
  #ratio(binding: number, at: number, got: number, wanted: number, scale: number, device: string): number | null {
    // Devices may compute anything from what is no number.
    if (!Number.isFinite(wanted) || !Number.isFinite(got)) return null;
    const bounded = this.#boundsOf(binding).get(at);
    if (bounded?.bound === Infinity) return null;
    if (bounded === undefined) {
      if (Math.abs(got - wanted) <= TOLERANCE * scale) return null;
      throw this.#wrong(device, at, `${wanted} within ${TOLERANCE * scale}`, got);
    }
    // What is stored is rounded once more.
    const allowed = bounded.bound + Math.abs(bounded.value) * 2 ** -23;
    const distance = Math.abs(got - bounded.value);
    if (distance > allowed) throw this.#wrong(device, at, `${bounded.value} within ${allowed}`, got);
    return distance === 0 ? 0 : distance / allowed;
  }

  #wrong(device: string, at: number, expected: string, got: number): InvariantError {
    return new InvariantError(`kernel ${this.#kernel.name} on ${device}: expected ${expected} at ${at}, found ${got}`);
  }

  /** Of some workgroups, spread over all: the first and the last among them. */
  #boundsOf(binding: number): BoundedElements {
    if (this.#bounds === undefined) {
      const count = workgroupsOf(this.#kernel);
      const each = countOperations(this.#kernel) / count;
      const most = Math.min(count, Math.floor(BOUNDED_OPERATIONS / Math.max(1, each)));
      const workgroups = Array.from({ length: most }, (_, i) => Math.round((i * (count - 1)) / Math.max(1, most - 1)));
      const arrays = this.#before.map((array, i) => {
        const { type = "f32" } = this.#kernel.bindings[i] ?? {};
        return type === "f16" ? numbersOf({ type }, array) : array;
      });
      this.#bounds = runSomeBounded(this.#kernel, arrays, this.#subgroupSize, workgroups);
    }
    return this.#bounds[binding] ?? { get: () => undefined };
  }
}

/** Where the bits are not the same. */
function differingPlaces(expected: KernelArray, got: KernelArray): number[] {
  const words = (array: KernelArray): Uint16Array | Uint32Array =>
    array instanceof Uint16Array ? array : new Uint32Array(array.buffer, array.byteOffset, array.length);
  const [a, b] = [words(expected), words(got)];
  const places: number[] = [];
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) places.push(i);
  return places;
}

function arrayOver({ type, length }: Binding, bytes: Uint8Array): KernelArray {
  const { buffer } = bytes.slice();
  if (type === "f32") return new Float32Array(buffer, 0, length);
  if (type === "f16") return new Uint16Array(buffer, 0, length);
  return type === "i32" ? new Int32Array(buffer, 0, length) : new Uint32Array(buffer, 0, length);
}

function numbersOf(
  { type }: Pick<Binding, "type">,
  array: KernelArray,
): ArrayLike<number> & { reduce: number[]["reduce"] } {
  // prettier-ignore
  return Array.from(array, (value) => (type === "f16" ? float16OfBits(value) : value));
}
