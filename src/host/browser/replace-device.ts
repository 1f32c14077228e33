/** Another device for a tab that lost its own: the GPU again, or, when that does not come back, the CPU. */
import type { Clock } from "../../base/clock.ts";
import { DeviceLostError } from "../../base/errors.ts";
import type { DeviceKind } from "../../compute/device/device.ts";
import type { Reopen } from "../../compute/runtime/device-replacement.ts";
import type { DeviceChoice } from "./engine-api.ts";
import type { ChosenDevice } from "../choice/choose-device.ts";
import { openDevice } from "./open-device.ts";

/** A driver that crashed may need a moment; a browser that gives no adapter any more never will. */
const TRIES_MAX = 4;
/** Of waiting for the GPU, all tries together. Half of the shortest deadline of a step: the CPU can still finish it. */
const GPU_MS_MAX = 15_000;

/**
 * @param first what the tab computes on at first: a processor's device is opened again as it was
 * @param onOpened told of each device that took the place of another
 */
export function replaceDevice(
  choice: DeviceChoice,
  first: DeviceKind,
  onOpened: (chosen: ChosenDevice) => void,
  clock: Clock,
): Reopen {
  let kind = first;
  let tries = 0;
  let endMs = 0;
  return async (lostBy) => {
    if (kind === "wasm" || kind === "reference") {
      const { device } = await openDevice(kind);
      onOpened({ device, reason: `The CPU failed at a computation and begins again: ${lostBy.message}` });
      return device;
    }
    if (tries === 0) endMs = clock.nowMs() + GPU_MS_MAX;
    tries += 1;
    const chosen = await openAgain(choice, clock, endMs).catch((error: unknown) => {
      if (tries < TRIES_MAX && clock.nowMs() < endMs) throw error;
      return cpu(lostBy);
    });
    tries = 0;
    kind = chosen.device.info.kind;
    onOpened(chosen);
    return chosen.device;
  };
}

/** The GPU again. @throws UnsupportedError, DeadlineError, DeviceLostError where only the CPU is to be had */
async function openAgain(choice: DeviceChoice, clock: Clock, endMs: number): Promise<ChosenDevice> {
  const chosen = await openDevice(choice, { clock, deadlineMs: Math.max(1, endMs - clock.nowMs()), races: false });
  if (chosen.device.info.kind === "webgpu")
    return { ...chosen, reason: `The GPU went away and came back. ${chosen.reason}` };
  chosen.device.destroy();
  throw new DeviceLostError(`device: expected the GPU again, found none: ${chosen.reason}`);
}

async function cpu(lostBy: DeviceLostError): Promise<ChosenDevice> {
  const reason = `The GPU went away and did not come back, so this tab goes on with the CPU: ${lostBy.message}`;
  const { device } = await openDevice("wasm").catch(() => openDevice("reference"));
  return { device, reason };
}
