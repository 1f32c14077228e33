/**
 * What it costs to have less in memory, in bytes of device memory that could be moved in the same time.
 *
 * Rough on purpose: it only has to tell an elementwise step from a product, and a product from a way through the host.
 */
import { elementBytes } from "../../layout/dtype.ts";
import { elementCount } from "../../layout/shape.ts";
import { countOperations } from "../../lang/count-operations.ts";
import type { Kernel } from "../../lang/kernel.ts";
import type { LoweredKernel } from "../lower-region.ts";

/** Arithmetic in the time in which a byte is read: GPUs in browsers have 300 GB/s and 3 to 5 TFLOP/s. */
const OPERATIONS_A_BYTE = 10;
/** Starting a kernel takes as long as moving this much. */
const DISPATCH_BYTES = 2 ** 16;
/** Main memory is behind a bus of 10 GB/s. */
const HOST_FACTOR = 32;
/** A transfer is a wait for the device: as long as moving this much over the bus. */
const TRANSFER_BYTES = 2 ** 16;

/** Counting walks through the kernel's tree. */
const operations = new WeakMap<Kernel, number>();

/** The price of a dispatch of `lowered`. */
export function costOfKernel({ kernel, outputs, inputs }: LoweredKernel): number {
  let counted = operations.get(kernel);
  if (counted === undefined) {
    counted = countOperations(kernel);
    operations.set(kernel, counted);
  }
  const moved = [...outputs, ...inputs].reduce((sum, { shape, dtype }) => sum + elementCount(shape) * elementBytes(dtype), 0); // prettier-ignore
  return DISPATCH_BYTES + moved + counted / OPERATIONS_A_BYTE;
}

/** The price of moving a value to main memory and back. */
export function costOfOffload(bytes: number): number {
  return 2 * HOST_FACTOR * (TRANSFER_BYTES + bytes);
}

/** The price of a dispatch more, of kernels that could start together. */
export const COST_OF_DISPATCH: number = DISPATCH_BYTES;
