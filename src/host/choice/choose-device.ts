/** Of a GPU and the processor the faster one, with the reason. */
import { UnsupportedError } from "../../base/errors.ts";
import type { Device } from "../../compute/device/device.ts";
import { isClearlyFast, judge } from "./gpu-or-cpu.ts";
import type { RaceOptions } from "./race-devices.ts";

export interface ChosenDevice {
  readonly device: Device;
  /** One sentence for people. */
  readonly reason: string;
}

/** `gpu`, unless a short race is in doubt about it and the processor wins. The other device is destroyed. */
export async function chooseDevice(
  gpu: Device,
  openCpu: () => Promise<Device>,
  options: RaceOptions = {},
): Promise<ChosenDevice> {
  const { name } = gpu.info;
  if (isClearlyFast(gpu.info)) {
    return { device: gpu, reason: `The GPU (${name}) computes: all of its kind are far ahead of a processor.` };
  }
  const cpu = await openCpu().catch((error: unknown) => {
    if (error instanceof UnsupportedError) return null;
    throw error;
  });
  if (cpu === null) {
    return {
      device: gpu,
      reason: `The GPU (${name}) computes: there is no WebAssembly with vectors to compare it with.`,
    };
  }
  try {
    // Those who are in no doubt do not fetch it.
    const { raceDevices } = await import("./race-devices.ts");
    const { winner, reason } = judge(await raceDevices(gpu, cpu, options));
    if (winner === "gpu") cpu.destroy();
    else gpu.destroy();
    return { device: winner === "gpu" ? gpu : cpu, reason };
  } catch (error) {
    for (const device of [gpu, cpu]) device.destroy();
    throw error;
  }
}
