/**
 * Colours of kernels: neighbours in a plan have different ones, and a kernel has the same one wherever it is shown.
 * Marks only, never text: each reaches 3 : 1 on surface and ground of its scheme.
 */
import { css } from "lit";
import type { CSSResult } from "lit";

const COUNT = 8;

/** The custom properties that `kernelColor` names. */
export const kernelColors: CSSResult = css`
  :host {
    --_kernel-0: light-dark(#d9480f, #ff8a3d);
    --_kernel-1: light-dark(#1f7a8c, #6fc7d6);
    --_kernel-2: light-dark(#a87900, #e5c04e);
    --_kernel-3: light-dark(#8a4fa3, #cf9ee6);
    --_kernel-4: light-dark(#4b7f2b, #a3cf7a);
    --_kernel-5: light-dark(#b5396b, #f38fb3);
    --_kernel-6: light-dark(#3b66b8, #8fb2f5);
    --_kernel-7: light-dark(#8a6140, #d3a37c);
  }
`;

/** The CSS colour of the kernel with this number. */
export function kernelColor(kernel: number): string {
  return `var(--_kernel-${kernel % COUNT})`;
}

/** Numbers of all colours, for a canvas, which has to look them up. */
export const KERNEL_COLORS: readonly number[] = Array.from({ length: COUNT }, (_, i) => i);
