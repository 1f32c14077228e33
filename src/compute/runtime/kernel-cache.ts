/** Compiled kernels of a device, by what they do: equal kernels are compiled once, whatever graph they come from. */
import type { Device, DeviceKernel } from "../device/device.ts";
import type { Kernel } from "../lang/kernel.ts";
import { kernelKey } from "../lang/kernel-key.ts";

export class KernelCache {
  readonly #device: Device;
  readonly #kernels = new Map<string, Promise<DeviceKernel>>();

  constructor(device: Device) {
    this.#device = device;
  }

  /** Compiles those that are new, in parallel. */
  async getAll(kernels: readonly Kernel[]): Promise<DeviceKernel[]> {
    return await Promise.all(kernels.map((kernel) => this.#get(kernel)));
  }

  #get(kernel: Kernel): Promise<DeviceKernel> {
    const key = kernelKey(kernel);
    const known = this.#kernels.get(key);
    if (known !== undefined) return known;
    const made = this.#device.createKernel(kernel);
    this.#kernels.set(key, made);
    // A kernel that failed may do better the next time: memory comes and goes.
    made.catch(() => this.#kernels.delete(key));
    return made;
  }
}
