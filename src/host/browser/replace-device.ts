/** Another device for a tab that lost its own: the GPU again, or, when that does not come back, the CPU. */
import { DeviceLostError } from "../../base/errors.ts";
import type { Reopen } from "../../compute/runtime/device-replacement.ts";
import { ReferenceDevice } from "../../compute/device/reference/reference-device.ts";
import type { DeviceChoice } from "./engine-api.ts";
import { openDevice, type ChosenDevice } from "./open-device.ts";

/** A driver that crashed may need a moment; a browser that gives no adapter any more never will. */
const TRIES_MAX = 3;

/** @param onOpened told of each device that took the place of another */
export function replaceDevice(choice: DeviceChoice, onOpened: (chosen: ChosenDevice) => void): Reopen {
  let tries = 0;
  return async (lostBy) => {
    tries += 1;
    const chosen = tries < TRIES_MAX ? await openAgain(choice) : await openAgain(choice).catch(() => cpu(lostBy));
    tries = 0;
    onOpened(chosen);
    return chosen.device;
  };
}

/** The same kind again. @throws UnsupportedError, DeviceLostError where only the CPU is to be had */
async function openAgain(choice: DeviceChoice): Promise<ChosenDevice> {
  const chosen = await openDevice(choice);
  if (choice === "reference" || chosen.device.info.kind === "webgpu") return chosen;
  chosen.device.destroy();
  throw new DeviceLostError(`device: expected the GPU again, found none: ${chosen.reason}`);
}

function cpu(lostBy: DeviceLostError): ChosenDevice {
  const reason = `The GPU went away and did not come back, so this tab goes on with the CPU: ${lostBy.message}`;
  return { device: new ReferenceDevice(), reason };
}
