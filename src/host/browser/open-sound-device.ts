/** Opening a device that computes what it should: each is examined, and where nobody asked for it by name the next one is tried. */
import { systemClock, type Clock } from "../../base/clock.ts";
import { DeadlineError, describeError, UnsupportedError } from "../../base/errors.ts";
import type { Device, DeviceKind } from "../../compute/device/device.ts";
import { probeDevice } from "../../training/parallel/probe.ts";
import type { ChosenDevice } from "../choice/choose-device.ts";
import type { DeviceChoice } from "./engine-api.ts";
import { openDevice } from "./open-device.ts";

/** What is wrong with a device, or null. */
type Probe = (device: Device, clock: Clock) => Promise<string | null>;

/** Injected by tests. */
export interface OpenSoundOptions {
  readonly clock?: Clock;
  readonly open?: (choice: DeviceChoice) => Promise<ChosenDevice>;
  readonly probe?: Probe;
}

/** After `auto`, from the fastest to the one that nearly every browser has. */
const FALLBACKS: readonly DeviceChoice[] = ["wasm", "reference"];

/**
 * As `openDevice`, with devices left out that do not compute the known answers of `probeDevice`; the reason says so.
 * @throws UnsupportedError naming the operation, where none is left; what `openDevice` throws for one asked for by name
 */
export async function openSoundDevice(choice: DeviceChoice, options: OpenSoundOptions = {}): Promise<ChosenDevice> {
  const { clock = systemClock, open = openDevice, probe = probeDevice } = options;
  const faults = new Map<DeviceKind, string>();
  for (const next of choice === "auto" ? [choice, ...FALLBACKS] : [choice]) {
    const chosen = await open(next).catch((error: unknown) => {
      // A browser without WebAssembly may still have the last one.
      if (next !== choice && error instanceof UnsupportedError) return null;
      throw error;
    });
    if (!chosen) continue;
    const { kind, name } = chosen.device.info;
    const fault = faults.has(kind) ? "" : await faultOf(chosen.device, clock, probe);
    if (fault === null) return { ...chosen, reason: [...faults.values(), chosen.reason].join(" ") };
    chosen.device.destroy();
    if (!faults.has(kind)) faults.set(kind, `${name} is left out, since it computes wrongly: ${fault}.`);
  }
  throw new UnsupportedError(`device: expected one that computes known answers. ${[...faults.values()].join(" ")}`);
}

/** A GPU in software compiles the examination's kernels for a minute: audits and digests are to find it out. */
async function faultOf(device: Device, clock: Clock, probe: Probe): Promise<string | null> {
  if (device.info.kind === "webgpu" && device.info.isSoftware) return null;
  // Slow is not wrong.
  return probe(device, clock).catch((error: unknown) => (error instanceof DeadlineError ? null : describeError(error)));
}
