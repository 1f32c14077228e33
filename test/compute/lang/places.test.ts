/** Indices outside of arrays: all devices make the same of them, and WebAssembly's modules stay in their arrays. */
import { expect, test } from "vitest";
import { Random } from "../../../src/base/random.ts";
import type { Device } from "../../../src/compute/device/device.ts";
import { ReferenceDevice } from "../../../src/compute/device/reference/reference-device.ts";
import { LinearMemory } from "../../../src/compute/device/wasm/linear-memory.ts";
import type { WasmBuffer } from "../../../src/compute/device/wasm/wasm-buffer.ts";
import { WasmDevice } from "../../../src/compute/device/wasm/wasm-device.ts";
import { add, cast, i32, load, u32 } from "../../../src/compute/lang/build.ts";
import { invocationOf } from "../../../src/compute/lang/expr.ts";
import type { Binding, Kernel } from "../../../src/compute/lang/kernel.ts";
import { store } from "../../../src/compute/lang/statements.ts";
import { openNodeWebGpu, webGpuMissing } from "../device/devices.ts";
import { allowRelaxedSimd } from "../device/wasm/relaxed-simd.ts";
import { runOn, type Arrays } from "./check-kernels.ts";
import { randomArrays, randomKernel } from "./random-kernel.ts";
import { randomPlaces } from "./random-places.ts";
import { randomWorkgroupKernel } from "./random-workgroup-kernel.ts";

const KERNELS = Number(process.env["HEARTH_ORACLE_KERNELS"] ?? 30);
const SEED = Number(process.env["HEARTH_ORACLE_SEED"] ?? 1);
const PAGE_BYTES = 2 ** 16;
/** Each takes Mesa's driver some 100 ms to compile. */
const KERNELS_WEBGPU = Math.ceil(KERNELS / 3);

const copies = (arrays: Arrays): Arrays => arrays.map((array) => array.slice());

/** Expects as many kernels to do to their arrays on `device` what they do on the reference device. */
async function expectSamePlaces(device: Device, count: number, hasNaN: boolean): Promise<void> {
  const reference = new ReferenceDevice();
  for (let seed = SEED; seed < SEED + count; seed++) {
    const { kernel, arrays } = randomPlaces(new Random(seed, "places"), { hasNaN });
    const expected = await runOn(reference, kernel, copies(arrays));
    const found = await runOn(device, kernel, copies(arrays));
    for (const [i, array] of expected.entries()) expect(found[i], `seed ${seed}, binding ${i}`).toEqual(array);
  }
  reference.destroy();
}

const wasm = (usesMultiplyAdd: boolean): WatchedDevice => new WatchedDevice(usesMultiplyAdd && allowRelaxedSimd());

for (const usesMultiplyAdd of [false, true]) {
  const how = usesMultiplyAdd ? ", with fused multiply-add" : "";
  test(`what ${2 * KERNELS} kernels load and store at wild places is the same on WebAssembly${how}`, async () => {
    const { device } = wasm(usesMultiplyAdd);
    await expectSamePlaces(device, 2 * KERNELS, true);
    device.destroy();
  });
}

test.skipIf(webGpuMissing !== undefined)(
  `what ${KERNELS_WEBGPU} kernels load and store at wild places is the same on WebGPU`,
  { timeout: 120_000 },
  async () => {
    const device = await openNodeWebGpu();
    await expectSamePlaces(device, KERNELS_WEBGPU, false);
    device.destroy();
  },
);

test("an index that wraps around to the beginning is one, however large its constant", async () => {
  const { device } = wasm(false);
  for (const far of [1, 100_000, 2 ** 20, 2 ** 27]) {
    const at = invocationOf(64);
    const bindings: Binding[] = [
      { type: "u32", access: "read", length: 1 },
      { type: "f32", access: "read", length: 64 },
      { type: "f32", access: "write", length: 64 },
    ];
    const index = add(add(cast("u32", at), load(0, i32(0), "u32")), u32(far));
    const kernel: Kernel = { name: "wraps", bindings, invocations: 64, body: [store(2, index, load(1, index, "f32"))] };
    const numbers = Float32Array.from({ length: 64 }, (_, i) => i);
    const [, , found] = await runOn(device, kernel, [Uint32Array.of(2 ** 32 - far), numbers, new Float32Array(64)]);
    expect(found).toEqual(numbers);
  }
  device.destroy();
});

/** A device in whose memory every byte is watched that is not an array's. */
class WatchedDevice {
  readonly device: WasmDevice;
  readonly #memory = new WatchedMemory(false);

  constructor(hasMultiplyAdd: boolean) {
    this.device = new WasmDevice({ memory: this.#memory, hasMultiplyAdd });
  }

  /** Runs a kernel between arrays of guards: the first places of bytes that changed and should not have. */
  async strayBytes(kernel: Kernel, arrays: Arrays): Promise<number[]> {
    const guard = (): WasmBuffer => this.#filled(64);
    const buffers: WasmBuffer[] = [guard()];
    const own = arrays.map((array) => {
      const buffer = this.#filled(array.byteLength);
      this.device.write(buffer, new Uint8Array(array.buffer as ArrayBuffer));
      buffers.push(buffer, guard());
      return buffer;
    });
    const made = await this.device.createKernel(kernel);
    const recording = this.device.record([{ kind: "dispatch", kernel: made, buffers: own }]);
    await this.device.idle();
    const before = this.#memory.all().slice();
    this.device.submit(recording);
    await this.device.idle();
    const after = this.#memory.all();
    const mayChange = kernel.bindings.flatMap(({ access }, i) => {
      const { address, bytes } = own[i] as WasmBuffer;
      return access === "read" ? [] : [{ address, bytes }];
    });
    for (const buffer of buffers) buffer.destroy();
    await this.device.idle();
    return differences(before, after, [...mayChange, ...this.#memory.ofDevice(new Set(buffers.map((b) => b.address)))]);
  }

  /** An array in a page of its own, whose other bytes are no zeros. */
  #filled(bytes: number): WasmBuffer {
    const buffer = this.device.createBuffer(bytes) as WasmBuffer;
    const pageEnd = Math.ceil((buffer.address + bytes) / PAGE_BYTES) * PAGE_BYTES;
    this.#memory.bytesAt(buffer.address, pageEnd - buffer.address).fill(0xa5);
    return buffer;
  }
}

/** Remembers what was taken of it. */
class WatchedMemory extends LinearMemory {
  readonly #taken = new Map<number, number>();

  override take(bytes: number): number {
    const address = super.take(bytes);
    this.#taken.set(address, bytes);
    return address;
  }

  override give(address: number): void {
    this.#taken.delete(address);
    super.give(address);
  }

  all(): Uint8Array {
    return new Uint8Array(this.memory.buffer);
  }

  /** What is the device's own, whole pages: tables and scratch memory. */
  ofDevice(buffers: ReadonlySet<number>): { address: number; bytes: number }[] {
    return [...this.#taken].flatMap(([address, bytes]) =>
      buffers.has(address) ? [] : [{ address, bytes: Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES }],
    );
  }
}

function differences(
  before: Uint8Array,
  after: Uint8Array,
  mayChange: readonly { readonly address: number; readonly bytes: number }[],
): number[] {
  const places: number[] = [];
  if (Buffer.compare(before, after.subarray(0, before.length)) === 0) return places;
  for (const [i, byte] of before.entries()) {
    if (byte === after[i]) continue;
    if (!mayChange.some(({ address, bytes }) => i >= address && i < address + bytes)) places.push(i);
  }
  return places.slice(0, 5);
}

test(`no byte outside of the arrays that ${KERNELS} random kernels of each kind write is changed`, async () => {
  const watched = wasm(true);
  let changed = 0;
  for (let seed = SEED; seed < SEED + KERNELS; seed++) {
    const random = new Random(seed, "guards");
    const { kernel, arrays } = randomPlaces(random, { hasNaN: true });
    const all: [Kernel, Arrays][] = [
      [kernel, arrays],
      [randomKernel(random), randomArrays(random)],
      [randomWorkgroupKernel(random, true), randomArrays(random)],
    ];
    for (const [each, its] of all) {
      expect(await watched.strayBytes(each, its), `seed ${seed}, ${each.name}`).toEqual([]);
      changed += 1;
    }
  }
  expect(changed).toBe(3 * KERNELS);
  watched.device.destroy();
});
