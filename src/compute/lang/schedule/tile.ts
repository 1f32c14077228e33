/** The part of an array that is used while some loops run and others stand still: what caches copy. */
import { OptionError } from "../../../base/errors.ts";
import { describeExpr } from "../describe-expr.ts";
import { i32 } from "../build.ts";
import type { Expr } from "../kernel.ts";
import { rebuild } from "../rebuild.ts";
import { linear, type Linear } from "./integer-system.ts";
import { textOf } from "./affine.ts";
import type { Access } from "./dependences.ts";
import type { Loop, LoopNest } from "./loop-nest.ts";

/** An index as base + the sum of stride * counter over the loops that run. */
export interface TileUse {
  /** With the running loops at 0. */
  readonly base: Expr;
  /** The same for uses whose bases differ by a constant at most. */
  readonly baseKey: string;
  readonly constant: number;
  /** Largest stride first, without loops of one iteration. */
  readonly terms: readonly TileTerm[];
}

export interface TileTerm {
  readonly loop: Loop;
  readonly stride: number;
}

/** @throws OptionError where the index is not affine in the running loops, or goes down in one */
export function tileUseOf(
  operation: string,
  nest: LoopNest,
  { array, index, affine, loops }: Access,
  isRunning: (loop: string) => boolean,
): TileUse {
  const refuse = (expected: string): never => {
    throw new OptionError(
      `${operation}: expected ${expected}, found ${nest.arrays[array]?.name}[${describeExpr(index)}]`,
    );
  };
  if (affine === undefined || affine.quotients.some(({ of }) => [...of.terms.keys()].some(isRunning))) {
    return refuse("affine indices");
  }
  const terms: TileTerm[] = [];
  for (const loop of loops) {
    const stride = isRunning(loop.name) ? (affine.linear.terms.get(loop.name) ?? 0) : 0;
    if (stride < 0) refuse("indices that grow with every loop");
    if (stride > 0 && loop.extent > 1) terms.push({ loop, stride });
  }
  terms.sort((a, b) => b.stride - a.stride);
  const standing: Linear = linear(0, [...affine.linear.terms].filter(([name]) => !isRunning(name))); // prettier-ignore
  return { base: standStill(index, isRunning), baseKey: textOf(standing), constant: affine.linear.constant, terms };
}

/** `x` with the running loops at 0. */
export function standStill(x: Expr, isRunning: (loop: string) => boolean): Expr {
  return rebuild(x, (part) => (part.kind === "variable" && isRunning(part.name) ? i32(0) : undefined));
}
