/** When a device is lost: how often another one is asked for, and when to give up. */
import type { Clock } from "../../base/clock.ts";
import { describeError, DeviceLostError } from "../../base/errors.ts";
import { sleep } from "../../base/wait.ts";
import type { Device } from "../device/device.ts";

/** Waits before each try of one loss: a driver that restarts needs a moment. */
const WAITS_MS = [0, 100, 500, 2_000, 5_000];
/** More losses than this within that time, and there is something wrong that another device does not help. */
const LOSSES_MAX = 5;
const WITHIN_MS = 10 * 60_000;

export type Reopen = (lostBy: DeviceLostError) => Promise<Device>;

export class DeviceReplacement {
  /** Resolves when there is no device any more. */
  readonly givenUp: Promise<DeviceLostError>;
  readonly #reopen: Reopen | null;
  readonly #clock: Clock;
  #giveUp: (error: DeviceLostError) => void = () => {};
  #givenUpBy: DeviceLostError | null = null;
  #lost: { readonly device: Device; readonly error: DeviceLostError } | null = null;
  #times: number[] = [];
  #losses = 0;

  constructor(reopen: Reopen | null, clock: Clock) {
    this.#reopen = reopen;
    this.#clock = clock;
    this.givenUp = new Promise((resolve) => {
      this.#giveUp = resolve;
    });
  }

  /** All so far. */
  get losses(): number {
    return this.#losses;
  }

  /** True from a loss until another device is there. */
  get isDue(): boolean {
    return this.#lost !== null;
  }

  get lostBy(): DeviceLostError | null {
    return this.#lost?.error ?? null;
  }

  /** Notes that `device` is lost, once. */
  noteLoss(device: Device, error: DeviceLostError): void {
    if (this.#lost?.device === device) return;
    this.#lost = { device, error };
    this.#losses += 1;
    const nowMs = this.#clock.nowMs();
    this.#times = [...this.#times.filter((ms) => nowMs - ms < WITHIN_MS), nowMs];
    if (this.#reopen === null) this.#end(error);
  }

  /** Another device. @throws DeviceLostError when there is none, or when they are lost too often */
  async open(): Promise<Device> {
    const lost = this.#lost;
    if (this.#givenUpBy !== null) throw this.#givenUpBy;
    if (lost === null || this.#reopen === null)
      throw new DeviceLostError("device: expected one to replace, found none");
    if (this.#times.length > LOSSES_MAX) {
      const often = `${this.#times.length} times in ${WITHIN_MS / 60_000} minutes`;
      throw this.#end(new DeviceLostError(`device: expected one that stays, found it lost ${often}: ${lost.error.message}`, { cause: lost.error })); // prettier-ignore
    }
    let last: unknown = lost.error;
    for (const waitMs of WAITS_MS) {
      if (waitMs > 0) await sleep(waitMs, this.#clock);
      try {
        const device = await this.#reopen(lost.error);
        this.#lost = null;
        return device;
      } catch (error) {
        last = error;
      }
    }
    const found = `none after ${WAITS_MS.length} tries: ${describeError(last)}`;
    throw this.#end(new DeviceLostError(`device: expected another one after a loss, found ${found}`, { cause: last }));
  }

  #end(error: DeviceLostError): DeviceLostError {
    this.#givenUpBy = error;
    this.#giveUp(error);
    return error;
  }
}
