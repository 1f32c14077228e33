/**
 * A device whose kernels are checked when they are made (`check-kernel.ts`): `npm run kernels` puts it in every test's
 * way. Each kernel is checked once in all processes, by its content: on the device that it was made for, and on
 * WebAssembly with and without fused multiply-add.
 */
import { createHash } from "node:crypto";
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Random } from "../../../src/base/random.ts";
import type { Command, Device, DeviceBuffer } from "../../../src/compute/device/device.ts";
import { openWasmDevice } from "../../../src/compute/device/wasm/open-wasm-device.ts";
import type { Kernel } from "../../../src/compute/lang/kernel.ts";
import { kernelKey } from "../../../src/compute/lang/kernel-key.ts";
import { allowRelaxedSimd } from "./wasm/relaxed-simd.ts";
import { checkKernel, randomArray, waves, type CheckedDevice } from "./check-kernel.ts";

/** Where `npm run kernels` wants to read of kernels; undefined where nobody asks. */
export const KERNELS_FOLDER: string | undefined = process.env["HEARTH_CHECK_KERNELS"];

/** Lines of what became of kernels. */
export const FATES_FILE = "fates";

/** Opened by the first kernel. */
let processors: Promise<readonly CheckedDevice[]> | undefined;

/** This processor, as it is and as one without fused multiply-add. */
function openProcessors(): Promise<readonly CheckedDevice[]> {
  const kinds = allowRelaxedSimd() ? [true, false] : [false];
  return (processors ??= Promise.all(
    kinds.map(async (usesMultiplyAdd): Promise<CheckedDevice> => {
      const device = await openWasmDevice({ usesMultiplyAdd });
      return whenNobodyLooks(device, device.info.name);
    }),
  ));
}

/** Its functions as they are now. */
export function whenNobodyLooks(device: Device, called: string): CheckedDevice {
  return {
    called,
    info: device.info,
    record: device.record.bind(device),
    read: device.read.bind(device),
    createKernel: device.createKernel.bind(device),
    createBuffer: device.createBuffer.bind(device),
    write: device.write.bind(device),
    submit: device.submit.bind(device),
  };
}

/**
 * Makes `device` check each kernel that it is asked for. Packed kernels are checked when they are recorded, with the table
 * that tells where their arrays are; reading waits for that.
 */
export function checkingKernels<D extends Device>(device: D, folder: string): D {
  const inner = whenNobodyLooks(device, device.info.name);
  const own = device.info.kind === "webgpu" ? [inner] : [];
  const packed: Promise<void>[] = [];
  const check = async (kernel: Kernel, arrayOf: Parameters<typeof checkKernel>[1]): Promise<void> => {
    const fates = await checkKernel(kernel, arrayOf, [...own, ...(await openProcessors())]);
    appendFileSync(join(folder, FATES_FILE), fates.map((fate) => `${JSON.stringify(fate)}\n`).join(""));
  };
  return Object.assign(device, {
    createKernel: async (kernel: Kernel) => {
      const made = await inner.createKernel(kernel);
      if (isPacked(kernel) || !isNew(kernel, folder, device.info.kind)) return made;
      await check(kernel, (binding, i) => randomArray(binding, new Random(i, kernel.name)));
      return made;
    },
    record: (commands: readonly Command[]) => {
      for (const command of commands) {
        if (command.kind === "copy" || !isPacked(command.kernel.kernel)) continue;
        const { kernel } = command.kernel;
        const [table] = command.buffers;
        if (table === undefined || !isNew(kernel, folder, device.info.kind)) continue;
        const bytes = inner.read(table);
        packed.push(
          bytes.then(({ buffer }) =>
            check(kernel, (binding, i) => (i === 0 ? new Int32Array(buffer) : waves(binding))),
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

/** Its arrays lie in slabs, where a table says. */
function isPacked({ bindings }: Kernel): boolean {
  return bindings[0]?.type === "i32" && bindings.some(({ aliasOf }) => aliasOf !== undefined);
}

/** True for whoever asks first, of all processes: the kernels of a GPU and of processors apart. */
function isNew(kernel: Kernel, folder: string, kind: string): boolean {
  const seen = join(folder, kind === "webgpu" ? "webgpu" : "processors");
  mkdirSync(seen, { recursive: true });
  try {
    writeFileSync(join(seen, createHash("sha256").update(kernelKey(kernel)).digest("hex")), "", { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}
