/**
 * What every Device must do. Node and browsers run it, each handing in its own test functions, so it imports neither
 * a test runner nor a platform.
 */
import { describeError, InvariantError, UnsupportedError } from "../../../src/base/errors.ts";
import type { Command, Device, DeviceBuffer, Recording } from "../../../src/compute/device/device.ts";
import * as build from "../../../src/compute/lang/build.ts";
import { invocationOf } from "../../../src/compute/lang/expr.ts";
import type { Binding, Kernel, Statement } from "../../../src/compute/lang/kernel.ts";
import { assign, forRange, Names, store, varIn, when } from "../../../src/compute/lang/statements.ts";

/** What the suite needs of vitest, mocha or another runner. */
export interface SuiteRunner {
  test(name: string, run: () => Promise<void>): void;
  skip(name: string): void;
}

export interface SuiteOptions {
  /** In test names. */
  readonly name: string;
  open(): Promise<Device>;
  /** Why results cannot be asked of this device: it runs nothing. */
  readonly computesNothing?: string;
}

const { add, f32, i32, load, multiply } = build;

/** Runs the suite. Each test opens a device of its own, and destroys it. */
export function deviceSuite({ test, skip }: SuiteRunner, options: SuiteOptions): void {
  const on = (sentence: string, run: (device: Device) => Promise<void>): void => {
    test(`${options.name}: ${sentence}`, async () => {
      const device = await options.open();
      try {
        await run(device);
      } finally {
        device.destroy();
      }
    });
  };
  const computing = (sentence: string, run: (device: Device) => Promise<void>): void => {
    if (options.computesNothing === undefined) on(sentence, run);
    else skip(`${options.name}: ${sentence} (skipped: ${options.computesNothing})`);
  };
  memoryTests(on, computing);
  partTests(computing);
  commandTests(computing);
  measureTests(on, computing);
  misuseTests(on);
  endTests(on);
}

type Add = (sentence: string, run: (device: Device) => Promise<void>) => void;

function memoryTests(on: Add, computing: Add): void {
  on("a new buffer reads as zeros", async (device) => {
    same(await readFloats(device, device.createBuffer(4096)), new Array<number>(1024).fill(0));
  });

  computing("what was written is read, at its offset, and only as much as is asked for", async (device) => {
    const buffer = bufferOf(device, [1, 2, 3, 4]);
    device.write(buffer, bytesOf([7, 8]), 4);
    same(await readFloats(device, buffer), [1, 7, 8, 4]);
    same(await readFloats(device, buffer, 8), [1, 7]);
  });

  computing("written data is copied at once: changing it later changes nothing", async (device) => {
    const buffer = device.createBuffer(8);
    const data = bytesOf([1, 2]);
    device.submit(await addOne(device, bufferOf(device, [0, 0])));
    device.write(buffer, data);
    data.fill(0);
    same(await readFloats(device, buffer), [1, 2]);
  });

  computing("a view into a larger array writes only its own bytes", async (device) => {
    const whole = bytesOf([1, 2, 3, 4]);
    const buffer = device.createBuffer(16);
    device.write(buffer, whole.subarray(4, 12));
    same(await readFloats(device, buffer), [2, 3, 0, 0]);
  });

  computing("reads that wait at the same time each give their own buffer", async (device) => {
    const buffers = Array.from({ length: 12 }, (_, i) => bufferOf(device, new Array<number>(i + 1).fill(i)));
    const read = await Promise.all(buffers.map((buffer) => readFloats(device, buffer)));
    for (const [i, floats] of read.entries()) same(floats, new Array<number>(i + 1).fill(i));
  });

  computing("a destroyed buffer still serves the commands submitted before", async (device) => {
    const [source, target] = [bufferOf(device, [5, 6]), device.createBuffer(8)];
    device.submit(device.record([copy(source, 0, target, 0, 8)]));
    source.destroy();
    source.destroy();
    same(await readFloats(device, target), [5, 6]);
  });
}

/** Adds the second array to the first, which is stored over a part of the buffer that both are in. */
function partTests(computing: Add): void {
  computing("parts of a buffer are read, written, copied and bound where they are", async (device) => {
    const whole = device.createBuffer(1024);
    const [a, b, c] = [whole.part(0, 16), whole.part(256, 16), whole.part(512, 16)];
    device.write(a, bytesOf([1, 2, 3, 4]));
    device.write(b, bytesOf([10, 20, 30, 40]));
    device.write(b, bytesOf([50]), 12);
    const at = invocationOf(4);
    const bindings: Binding[] = [
      { type: "f32", access: "write", length: 4 },
      { type: "f32", access: "read", length: 4, isShared: true },
      { type: "f32", access: "read", length: 4, isShared: true },
    ];
    const body = [store(0, at, add(load(1, at, "f32"), load(2, at, "f32")))];
    const recording = await recordOne(device, kernelOf("sum", bindings, 4, body), [c, a, b]);
    device.submit(recording);
    device.submit(device.record([copy(c, 4, a, 0, 8)]));
    same(await readFloats(device, c), [11, 22, 33, 54]);
    same(await readFloats(device, a), [22, 33, 3, 4]);
    same(await readFloats(device, whole.part(512, 8)), [11, 22]);
  });

  computing("two bindings of one memory: what is read keeps its place before what is written", async (device) => {
    const buffer = bufferOf(device, [1, 2, 3, 4, 5, 6, 7, 8]);
    const at = invocationOf(4);
    const bindings: Binding[] = [
      { type: "f32", access: "write", length: 8 },
      { type: "f32", access: "read", length: 8, aliasOf: 0 },
    ];
    const body = [store(0, at, add(load(1, at, "f32"), load(1, add(at, i32(4)), "f32")))];
    device.submit(await recordOne(device, kernelOf("fold", bindings, 4, body), [buffer, buffer]));
    same(await readFloats(device, buffer), [6, 8, 10, 12, 5, 6, 7, 8]);
  });
}

function commandTests(computing: Add): void {
  computing("a kernel runs once for every invocation", async (device) => {
    const buffer = bufferOf(device, [10, 20, 30]);
    device.submit(await addOne(device, buffer));
    same(await readFloats(device, buffer), [11, 21, 31]);
  });

  computing("a recording submitted again runs again", async (device) => {
    const buffer = bufferOf(device, [0, 0]);
    const recording = await addOne(device, buffer);
    for (let i = 0; i < 5; i++) device.submit(recording);
    await device.idle();
    same(await readFloats(device, buffer), [5, 5]);
  });

  computing("commands see what earlier ones wrote, in one recording and across writes", async (device) => {
    const [a, b] = [bufferOf(device, [1, 2, 3, 4]), device.createBuffer(16)];
    const kernel = await device.createKernel(addOneKernel(4));
    const increment: Command = { kind: "dispatch", kernel, buffers: [a] };
    const recording = device.record([increment, copy(a, 0, b, 4, 12), increment, increment]);
    device.submit(recording);
    const first = readFloats(device, b);
    device.write(a, bytesOf([100]));
    device.submit(recording);
    same(await first, [0, 2, 3, 4]);
    same(await readFloats(device, a), [103, 8, 9, 10]);
    same(await readFloats(device, b), [0, 101, 6, 7]);
  });

  computing("a grid beyond 65,535 workgroups covers every invocation", async (device) => {
    // Every 4096th invocation counts itself; 4.3 million in all fold the grid into two rows.
    const invocations = 65_536 * 64 + 100;
    const slots = Math.ceil(invocations / 4096);
    const at = invocationOf(invocations);
    const hit = build.equal(build.remainder(at, i32(4096)), i32(0));
    const body = [when(hit, [store(0, build.divide(at, i32(4096)), build.cast("f32", add(at, i32(1))))])];
    const kernel = kernelOf("mark", [{ type: "f32", access: "write", length: slots }], invocations, body);
    const buffer = device.createBuffer(slots * 4);
    device.submit(await recordOne(device, kernel, [buffer]));
    const expected = Array.from({ length: slots }, (_, i) => Math.fround(i * 4096 + 1));
    same(await readFloats(device, buffer), expected);
  });

  computing("loops, conditions and clamped loads compute a running sum", async (device) => {
    const names = new Names();
    const at = invocationOf(8);
    const sum = varIn(names, "sum", f32(0));
    const loop = forRange(names, "k", i32(-2), add(at, i32(1)), (k) => [
      when(build.greaterEqual(k, i32(0)), [assign(sum.use, add(sum.use, load(0, multiply(k, i32(2)), "f32")))]),
    ]);
    const bindings: Binding[] = [
      { type: "f32", access: "read", length: 8 },
      { type: "f32", access: "write", length: 8 },
    ];
    const kernel = kernelOf("running sum", bindings, 8, [sum.statement, loop, store(1, at, sum.use)]);
    const [input, output] = [bufferOf(device, [1, 2, 3, 4, 5, 6, 7, 8]), device.createBuffer(32)];
    device.submit(await recordOne(device, kernel, [input, output]));
    // Reads elements 0, 2, 4, 6 and then, clamped, 7 over and over.
    same(await readFloats(device, output), [1, 4, 9, 16, 24, 32, 40, 48]);
  });

  computing("a store outside the array stores nothing", async (device) => {
    const at = invocationOf(10);
    const body = [store(0, build.subtract(at, i32(3)), f32(1))];
    const kernel = kernelOf("shifted", [{ type: "f32", access: "write", length: 4 }], 10, body);
    const buffer = device.createBuffer(16);
    device.submit(await recordOne(device, kernel, [buffer]));
    same(await readFloats(device, buffer), [1, 1, 1, 1]);
    const outside = [store(0, build.subtract(at, i32(20)), f32(1))];
    const nothing = kernelOf("outside", [{ type: "f32", access: "write", length: 4 }], 10, outside);
    const untouched = device.createBuffer(16);
    device.submit(await recordOne(device, nothing, [untouched]));
    same(await readFloats(device, untouched), [0, 0, 0, 0]);
  });

  computing("one buffer may be read by two bindings, and be longer than they are", async (device) => {
    const at = invocationOf(2);
    const bindings: Binding[] = [
      { type: "f32", access: "read", length: 2 },
      { type: "f32", access: "read", length: 3 },
      { type: "f32", access: "write", length: 2 },
    ];
    const body = [store(2, at, multiply(load(0, at, "f32"), load(1, add(at, i32(1)), "f32")))];
    const [input, output] = [bufferOf(device, [2, 3, 5, 7, 11]), device.createBuffer(8)];
    device.submit(await recordOne(device, kernelOf("products", bindings, 2, body), [input, input, output]));
    same(await readFloats(device, output), [6, 15]);
  });

  computing("kernels made in parallel all work", async (device) => {
    const kernels = await Promise.all([1, 2, 3, 4, 5, 6].map((step) => device.createKernel(addOneKernel(4, step))));
    const buffer = device.createBuffer(16);
    device.submit(device.record(kernels.map((kernel) => ({ kind: "dispatch", kernel, buffers: [buffer] }))));
    same(await readFloats(device, buffer), [21, 21, 21, 21]);
  });
}

function measureTests(on: Add, computing: Add): void {
  computing("measuring a recording runs it once, in order with what is submitted", async (device) => {
    const buffer = bufferOf(device, [0, 0]);
    const target = device.createBuffer(8);
    const kernel = await device.createKernel(addOneKernel(2));
    const increment: Command = { kind: "dispatch", kernel, buffers: [buffer] };
    const recording = device.record([increment, increment, copy(buffer, 0, target, 0, 8), increment]);
    device.submit(recording);
    const measuring = device.measure(recording);
    device.submit(recording);
    const tookMs = await measuring;
    check(tookMs.length === 4, `each of 4 commands has a time, found ${tookMs.length}`);
    check(
      tookMs.every((ms) => ms === null || ms >= 0),
      `times are null or not negative, found ${tookMs.join()}`,
    );
    same(await readFloats(device, buffer), [9, 9]);
    // The last copy comes after 8 increments. A device that waits for each command measures after what was submitted.
    const [copied = 0] = await readFloats(device, target);
    check(copied === 8 || copied === 5, `the copy has seen the increments before it, found ${copied}`);
  });

  computing("a kernel with 1,000 times the work takes longer", async (device) => {
    const kernels = await Promise.all(
      [spinKernel(20), spinKernel(20_000)].map((kernel) => device.createKernel(kernel)),
    );
    const buffer = device.createBuffer(256 * 4);
    const recording = device.record(kernels.map((kernel) => ({ kind: "dispatch", kernel, buffers: [buffer] })));
    let [shortMs, longMs] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
    // The least of several: a busy machine makes any run long, and clocks may be as coarse as 100 µs.
    for (let i = 0; i < 5; i++) {
      const [short, long] = await device.measure(recording);
      shortMs = Math.min(shortMs, short ?? 0);
      longMs = Math.min(longMs, long ?? 0);
    }
    check(longMs > shortMs, `a long run takes longer than a short one, found ${longMs} ms and ${shortMs} ms`);
  });

  on("measuring nothing gives nothing, and destroyed buffers are refused", async (device) => {
    check((await device.measure(device.record([]))).length === 0, "no commands have no times");
    const [a, b] = [device.createBuffer(8), device.createBuffer(8)];
    const recording = device.record([copy(a, 0, b, 0, 8)]);
    a.destroy();
    await rejects(InvariantError, device.measure(recording));
  });
}

function misuseTests(on: Add): void {
  on("buffers of sizes that no device has are refused", async (device) => {
    for (const bytes of [0, -4, 3, 6.5, Number.NaN]) throws(InvariantError, () => device.createBuffer(bytes));
    throws(UnsupportedError, () => device.createBuffer(device.info.limits.bufferBytesMax + 4));
  });

  on("reads and writes outside a buffer or off the grid of 4 bytes are refused", async (device) => {
    const buffer = device.createBuffer(8);
    throws(InvariantError, () => device.write(buffer, new Uint8Array(12)));
    throws(InvariantError, () => device.write(buffer, new Uint8Array(8), 4));
    throws(InvariantError, () => device.write(buffer, new Uint8Array(4), 2));
    throws(InvariantError, () => device.write(buffer, new Uint8Array(3)));
    await rejects(InvariantError, device.read(buffer, 12));
  });

  on("places that a kernel may not bind together are refused", async (device) => {
    const whole = device.createBuffer(1024);
    const [a, b] = [whole.part(0, 16), whole.part(256, 16)];
    const at = invocationOf(4);
    const bindings: Binding[] = [
      { type: "f32", access: "write", length: 4 },
      { type: "f32", access: "read", length: 4 },
    ];
    const body = [store(0, at, load(1, at, "f32"))];
    const plain = await device.createKernel(kernelOf("copy", bindings, 4, body));
    throws(InvariantError, () => device.record([{ kind: "dispatch", kernel: plain, buffers: [a, b] }]));
    const shared = bindings.map((binding, i) => (i === 1 ? { ...binding, isShared: true } : binding));
    const kernel = await device.createKernel(kernelOf("copy", shared, 4, body));
    device.record([{ kind: "dispatch", kernel, buffers: [a, b] }]);
    throws(InvariantError, () => device.record([{ kind: "dispatch", kernel, buffers: [a, a] }]));
    throws(InvariantError, () => device.record([{ kind: "dispatch", kernel, buffers: [a, whole] }]));
    throws(InvariantError, () => whole.part(128, 16));
    throws(InvariantError, () => whole.part(1024, 16));
  });

  on("recordings that no device could run are refused", async (device) => {
    const [a, b] = [device.createBuffer(16), device.createBuffer(8)];
    const at = invocationOf(4);
    const bindings: Binding[] = [
      { type: "f32", access: "read", length: 4 },
      { type: "f32", access: "write", length: 4 },
    ];
    const kernel = await device.createKernel(kernelOf("copy", bindings, 4, [store(1, at, load(0, at, "f32"))]));
    throws(InvariantError, () => device.record([{ kind: "dispatch", kernel, buffers: [a] }]));
    throws(InvariantError, () => device.record([{ kind: "dispatch", kernel, buffers: [a, b] }]));
    throws(InvariantError, () => device.record([{ kind: "dispatch", kernel, buffers: [a, a] }]));
    throws(InvariantError, () => device.record([copy(a, 0, a, 4, 8)]));
    throws(InvariantError, () => device.record([copy(a, 0, b, 4, 8)]));
    throws(InvariantError, () => device.record([copy(a, 2, b, 0, 4)]));
    const recording = device.record([copy(a, 0, b, 0, 8)]);
    a.destroy();
    throws(InvariantError, () => device.submit(recording));
    throws(InvariantError, () => device.record([copy(b, 0, a, 0, 8)]));
    throws(InvariantError, () => device.write(a, new Uint8Array(4)));
    await rejects(InvariantError, device.read(a));
  });

  on("a kernel beyond the limits is unsupported, and the error names it", async (device) => {
    const { bindingsMax, bindingBytesMax } = device.info.limits;
    const read: Binding = { type: "f32", access: "read", length: 4 };
    const many = kernelOf("many arrays", new Array<Binding>(bindingsMax + 1).fill(read), 1, []);
    matches(/many arrays/, await rejects(UnsupportedError, device.createKernel(many)));
    const large = { ...read, length: Math.floor(bindingBytesMax / 4) + 1 };
    matches(/huge/, await rejects(UnsupportedError, device.createKernel(kernelOf("huge", [large], 1, []))));
  });
}

function endTests(on: Add): void {
  on("a destroyed device says so, refuses new work, and keeps nobody waiting", async (device) => {
    const buffer = device.createBuffer(1 << 16);
    const recording = await addOne(device, buffer);
    for (let i = 0; i < 20; i++) device.submit(recording);
    const waiting = [device.read(buffer), device.idle(), device.measure(recording)].map((promise) => settle(promise));
    device.destroy();
    device.destroy();
    check((await device.lost).code === "device-lost", "lost resolves with a DeviceLostError");
    await Promise.all(waiting);
    for (const late of lateWaits(device, buffer, recording)) {
      check((await settle(late)) === "device-lost", "what is asked of a lost device is rejected with device-lost");
    }
    device.submit(recording);
    device.createBuffer(16).destroy();
  });
}

function lateWaits(device: Device, buffer: DeviceBuffer, recording: Recording): Promise<unknown>[] {
  const kernel = device.createKernel(addOneKernel(4));
  return [device.read(buffer), device.idle(), device.measure(recording), kernel];
}

function kernelOf(name: string, bindings: readonly Binding[], invocations: number, body: readonly Statement[]): Kernel {
  return { name, bindings, invocations, body };
}

/** Adds `step` to each of `length` floats. */
function addOneKernel(length: number, step: number = 1): Kernel {
  const at = invocationOf(length);
  const body = [store(0, at, add(load(0, at, "f32"), f32(step)))];
  return kernelOf(`add ${step}`, [{ type: "f32", access: "readWrite", length }], length, body);
}

/** A sum over `steps` steps in each of 256 invocations. */
function spinKernel(steps: number): Kernel {
  const names = new Names();
  const at = invocationOf(256);
  const sum = varIn(names, "sum", f32(0));
  const loop = forRange(names, "k", i32(0), i32(steps), (k) => [
    assign(sum.use, add(multiply(sum.use, f32(0.5)), build.cast("f32", add(k, at)))),
  ]);
  const body = [sum.statement, loop, store(0, at, sum.use)];
  return kernelOf(`spin ${steps}`, [{ type: "f32", access: "write", length: 256 }], 256, body);
}

async function addOne(device: Device, buffer: DeviceBuffer): Promise<ReturnType<Device["record"]>> {
  return await recordOne(device, addOneKernel(buffer.bytes / 4), [buffer]);
}

async function recordOne(
  device: Device,
  kernel: Kernel,
  buffers: readonly DeviceBuffer[],
): Promise<ReturnType<Device["record"]>> {
  return device.record([{ kind: "dispatch", kernel: await device.createKernel(kernel), buffers }]);
}

function copy(
  source: DeviceBuffer,
  sourceOffset: number,
  target: DeviceBuffer,
  targetOffset: number,
  bytes: number,
): Command {
  return { kind: "copy", source, sourceOffset, target, targetOffset, bytes };
}

function bytesOf(floats: readonly number[]): Uint8Array {
  return new Uint8Array(new Float32Array(floats).buffer);
}

function bufferOf(device: Device, floats: readonly number[]): DeviceBuffer {
  const buffer = device.createBuffer(floats.length * 4);
  device.write(buffer, bytesOf(floats));
  return buffer;
}

async function readFloats(device: Device, buffer: DeviceBuffer, bytes?: number): Promise<number[]> {
  const read = bytes === undefined ? await device.read(buffer) : await device.read(buffer, bytes);
  return [...new Float32Array(read.buffer)];
}

/** "done", or the code of the error. */
async function settle(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return "done";
  } catch (error) {
    return (error as { code?: string }).code ?? describeError(error);
  }
}

function check(condition: boolean, expected: string): void {
  if (!condition) throw new InvariantError(`device suite: expected that ${expected}`);
}

function same(found: readonly number[], expected: readonly number[]): void {
  const at = expected.findIndex((value, i) => !Object.is(found[i], value));
  check(found.length === expected.length, `${expected.length} values are read, found ${found.length}`);
  check(at < 0, `element ${at} is ${expected[at]}, found ${found[at]}`);
}

function matches(pattern: RegExp, error: Error): void {
  check(pattern.test(error.message), `an error says ${pattern}, found ${error.message}`);
}

type ErrorClass = new (message: string) => Error;

function throws(kind: ErrorClass, run: () => unknown): void {
  try {
    run();
  } catch (error) {
    return check(error instanceof kind, `${kind.name} is thrown, found ${describeError(error)}`);
  }
  check(false, `${kind.name} is thrown, found nothing`);
}

async function rejects(kind: ErrorClass, promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    check(error instanceof kind, `the promise rejects with ${kind.name}, found ${describeError(error)}`);
    return error as Error;
  }
  throw new InvariantError(`device suite: expected that the promise rejects with ${kind.name}, found that it resolves`);
}
