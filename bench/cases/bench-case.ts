/** One line of the table: a problem, and the unit that its time is told in. */
import type { Program, Programs } from "./problem.ts";

export interface BenchCase {
  /** As people say it: "[256, 64] x [64, 256]". */
  readonly title: string;
  /** Floating point operations of a step: the figure is GFLOP/s then, else milliseconds. */
  readonly flops?: number;
  /** Bytes that a step must read and write at least: told beside the milliseconds as GB/s. */
  readonly bytes?: number;
  /** The problem, given to whichever library. Makes its values anew each time, the same ones. */
  readonly prepare: (programs: Programs) => Program | Promise<Program>;
}

/** A figure and its unit, for a step of `ms`. */
export function figureOf({ flops }: BenchCase, ms: number): number {
  return flops === undefined ? ms : flops / ms / 1e6;
}

export function unitOf({ flops }: BenchCase): { readonly unit: string; readonly better: "higher" | "lower" } {
  return flops === undefined ? { unit: "ms", better: "lower" } : { unit: "GFLOP/s", better: "higher" };
}

/** The same time in the other unit, if there is one. */
export function asideOf({ flops, bytes }: BenchCase, ms: number): string | null {
  if (flops !== undefined) return `${ms.toPrecision(3)} ms a step`;
  return bytes === undefined ? null : `${(bytes / ms / 1e6).toPrecision(3)} GB/s`;
}
