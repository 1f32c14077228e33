/**
 * The device of now: when it is lost, another takes its place, and what was computed since the last copy is computed again
 * there, with the same results.
 */
import { present } from "../../base/assert.ts";
import type { Bytes } from "../../base/bytes.ts";
import type { Clock } from "../../base/clock.ts";
import { describeError, DeviceLostError } from "../../base/errors.ts";
import type { Node } from "../compiler/ir.ts";
import type { Device, DeviceInfo } from "../device/device.ts";
import { DeviceMemory } from "./device-memory.ts";
import { DeviceReplacement, type Reopen } from "./device-replacement.ts";
import { KernelCache } from "./kernel-cache.ts";
import { bytesOfNode, Leaves } from "./leaves.ts";
import { RecoveryLog, type LogEntry } from "./recovery-log.ts";

/** A device, and what belongs to it. */
export interface OnDevice {
  readonly device: Device;
  readonly memory: DeviceMemory;
  readonly kernels: KernelCache;
}

export interface LastingDeviceOptions {
  readonly device: Device;
  readonly budgetBytes: number;
  /** Opens another; null: a loss is the end. */
  readonly reopen: Reopen | null;
  readonly clock: Clock;
  /** Another kind of device has taken over. */
  readonly onOther: (info: DeviceInfo) => void;
}

export class LastingDevice {
  readonly leaves: Leaves;
  readonly #onOther: (info: DeviceInfo) => void;
  readonly #log: RecoveryLog | null;
  readonly #replacement: DeviceReplacement;
  #on: OnDevice;
  /** A device ran out of memory. */
  #hasRunOut = false;
  #isDestroyed = false;

  constructor({ device, budgetBytes, reopen, clock, onOther }: LastingDeviceOptions) {
    this.#onOther = onOther;
    this.#log = reopen === null ? null : new RecoveryLog(clock);
    this.#replacement = new DeviceReplacement(reopen, clock);
    this.#on = this.#onDevice(device, budgetBytes);
    this.leaves = new Leaves(device, this.#on.memory, this.#log);
  }

  get now(): OnDevice {
    return this.#on;
  }

  /** Resolves when there is no device any more. */
  get givenUp(): Promise<DeviceLostError> {
    return this.#replacement.givenUp;
  }

  /** True from a loss until another device is there. */
  get isDue(): boolean {
    return this.#replacement.isDue;
  }

  /** All so far. */
  get losses(): number {
    return this.#replacement.losses;
  }

  get isDestroyed(): boolean {
    return this.#isDestroyed;
  }

  /** Gives back its memory; the device itself is its opener's. */
  destroy(): void {
    if (this.#isDestroyed) return;
    this.#isDestroyed = true;
    this.#on.memory.destroy();
  }

  /** Does `work`; again, as long as the device is lost meanwhile and there is another. */
  async surviving<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      await this.#recover();
      try {
        return await work();
      } catch (error) {
        if (this.#isDestroyed || this.#log === null || !(error instanceof DeviceLostError)) throw error;
        this.#replacement.noteLoss(this.#on.device, error);
      }
    }
  }

  /** Notes that `again` computed `leaves`, for the case that the device is lost. */
  noteWork(leaves: readonly Node[], again: () => Promise<void>): void {
    const log = this.#log;
    if (log === null) return;
    for (const leaf of leaves) this.leaves.noteComputed(leaf);
    log.noteWork(leaves, again);
    if (!log.isDue) return;
    const { unknown, adopt } = this.leaves.captureBases();
    // A loss meanwhile is answered by whatever is done next.
    log.takeBase(() => this.readResident(unknown), adopt).catch(() => {});
  }

  /** The bytes of leaves that are on the device. */
  async readResident(leaves: readonly Node[]): Promise<Bytes[]> {
    const some = leaves.filter((leaf) => bytesOfNode(leaf) > 0);
    const read = await this.#on.device.readMany(some.map((leaf) => this.leaves.bufferOf(leaf)));
    const byLeaf = new Map(some.map((leaf, i) => [leaf, present(read[i], "read: bytes")]));
    return leaves.map((leaf) => byLeaf.get(leaf) ?? new Uint8Array(0));
  }

  /** Goes over to another device, if the one of now is lost. @throws DeviceLostError when there is none, or too often */
  async #recover(): Promise<void> {
    while (this.#log !== null && this.#replacement.isDue && !this.#isDestroyed) {
      const { device: old, memory } = this.#on;
      const lostBy = this.#replacement.lostBy;
      const device = await this.#replacement.open();
      old.destroy();
      if (this.#isDestroyed) return device.destroy();
      this.#on = this.#onDevice(device, lostBy?.isOutOfMemory === true ? this.#less(memory) : memory.budgetBytes);
      const { info } = device;
      if (info.name !== old.info.name) this.#onOther(info);
      await this.#replay(this.#log);
    }
  }

  /** A budget that the slab taken last, which was too much, is not within. Steeply less when that was not enough. */
  #less({ bytesBeforeNewest, budgetBytes }: DeviceMemory): number {
    const limit = this.#hasRunOut ? budgetBytes / 4 : budgetBytes;
    this.#hasRunOut = true;
    return Math.min(limit, bytesBeforeNewest);
  }

  /**
   * Brings all leaves to where they were. A loss on the way is noted; what else goes wrong too, since leaves that are
   * only half of them there must not be used.
   *
   * @throws OutOfMemoryError where less memory than before does not suffice
   */
  async #replay(log: RecoveryLog): Promise<void> {
    const { device, memory } = this.#on;
    this.leaves.rehome(device, memory, log.released);
    try {
      await log.replaying(async () => {
        // Asked for anew each time: writes may come meanwhile.
        for (let at = 0, entry = log.entries[at]; entry !== undefined; at += 1, entry = log.entries[at]) {
          if (entry.kind === "write") this.leaves.writeAgain(entry.leaf, entry.bytes);
          else await this.#workAgain(entry);
        }
      });
    } catch (cause) {
      const isLoss = cause instanceof DeviceLostError;
      const found = `found a failure: ${describeError(cause)}`;
      this.#replacement.noteLoss(device, isLoss ? cause : new DeviceLostError(`device: expected it to take over from another, ${found}`, { cause })); // prettier-ignore
      if (!isLoss) throw cause;
    } finally {
      for (const leaf of log.released.keys()) this.leaves.release(leaf);
    }
  }

  async #workAgain({ leaves, again }: LogEntry & { kind: "work" }): Promise<void> {
    await again();
    for (const leaf of leaves) this.leaves.noteComputed(leaf);
  }

  #onDevice(device: Device, budgetBytes: number): OnDevice {
    void device.lost.then((error) => {
      if (!this.#isDestroyed && device === this.#on.device) this.#replacement.noteLoss(device, error);
    });
    return { device, memory: new DeviceMemory(device, budgetBytes), kernels: new KernelCache(device) };
  }
}
