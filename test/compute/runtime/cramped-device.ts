/** A device with little memory, which says so as WebGPU does: late, and by ending. */
import type { Bytes } from "../../../src/base/bytes.ts";
import { DeviceLostError } from "../../../src/base/errors.ts";
import type { DeviceBuffer } from "../../../src/compute/device/device.ts";
import { ReferenceDevice } from "../../../src/compute/device/reference/reference-device.ts";

/** Of the number of the buffer, from 1, and the bytes of all with it: whether that is too much. */
export type IsTooMuch = (count: number, bytes: number) => boolean;

export class CrampedDevice extends ReferenceDevice {
  override readonly lost: Promise<DeviceLostError>;
  readonly #isTooMuch: IsTooMuch;
  #resolveLost: (error: DeviceLostError) => void = () => {};
  #failure: DeviceLostError | null = null;
  #count = 0;
  #bytes = 0;

  constructor(isTooMuch: IsTooMuch) {
    super();
    this.#isTooMuch = isTooMuch;
    this.lost = new Promise((resolve) => {
      this.#resolveLost = resolve;
    });
  }

  override createBuffer(bytes: number): DeviceBuffer {
    const buffer = super.createBuffer(bytes);
    this.#count += 1;
    this.#bytes += bytes;
    const destroy = buffer.destroy.bind(buffer);
    buffer.destroy = () => {
      this.#bytes -= bytes;
      destroy();
    };
    if (this.#isTooMuch(this.#count, this.#bytes)) setTimeout(() => this.#runOut(bytes), 1);
    return buffer;
  }

  override async readMany(buffers: readonly DeviceBuffer[]): Promise<Bytes[]> {
    const [bytes] = await Promise.all([super.readMany(buffers), new Promise((resolve) => setTimeout(resolve, 2))]);
    if (this.#failure !== null) throw this.#failure;
    return bytes;
  }

  #runOut(bytes: number): void {
    if (this.#failure !== null) return;
    this.#failure = new DeviceLostError(`cramped device: expected room for ${bytes} bytes, found none`, { isOutOfMemory: true }); // prettier-ignore
    this.#resolveLost(this.#failure);
  }
}
