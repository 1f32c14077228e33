/** Runs a kernel as the reference device does. */
import { compileJavaScript, printJavaScript, type KernelArray } from "../../../src/compute/lang/print-javascript.ts";
import type { Kernel } from "../../../src/compute/lang/kernel.ts";

export function runKernel(kernel: Kernel, arrays: readonly KernelArray[]): void {
  compileJavaScript(printJavaScript(kernel))(arrays, 0, kernel.invocations);
}
