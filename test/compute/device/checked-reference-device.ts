/** What `npm run kernels` puts in the place of the reference device: the same, with its kernels checked on WebAssembly. */
import { checkingKernels, KERNELS_FOLDER } from "./checking-device.ts";
import {
  ReferenceDevice as PlainReferenceDevice,
  type ReferenceDeviceOptions,
} from "../../../src/compute/device/reference/reference-device.ts";

export class ReferenceDevice extends PlainReferenceDevice {
  constructor(options: ReferenceDeviceOptions = {}) {
    super(options);
    if (KERNELS_FOLDER !== undefined) checkingKernels(this, KERNELS_FOLDER);
  }
}
