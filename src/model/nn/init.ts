/**
 * Initial values of parameters: functions of the random numbers in scope and of nothing else. Outside of `withRandom`
 * those are the host's default ones, which `manualSeed` starts again.
 */
import { Random } from "../../base/random.ts";
import type { Shape } from "../../compute/compiler/ir.ts";
import { elementCount } from "../../compute/layout/shape.ts";
import { defaultRandom } from "../../compute/tensor/generator.ts";
import type { HostValues } from "../../compute/tensor/host-values.ts";

let scope: Random | null = null;

/** Runs `fn` (synchronous): the modules made in it draw their initial values from `random`. */
export function withRandom<T>(random: Random, fn: () => T): T {
  const before = scope;
  scope = random;
  try {
    return fn();
  } finally {
    scope = before;
  }
}

/** A stream for one parameter: how much it draws changes no other parameter. */
export function nextRandom(): Random {
  const source = scope ?? defaultRandom();
  return new Random(source.uint32(), source.uint32());
}

/** Uniform in [-bound, bound). */
export function uniformValues(shape: Shape, bound: number): HostValues {
  const random = nextRandom();
  return draw(shape, () => (2 * random.uniform() - 1) * bound);
}

/** Normal with mean 0. */
export function normalValues(shape: Shape, deviation: number): HostValues {
  const random = nextRandom();
  return draw(shape, () => random.normal() * deviation);
}

/** `value` everywhere. */
export function constantValues(shape: Shape, value: number): HostValues {
  return draw(shape, () => value);
}

function draw(shape: Shape, next: () => number): HostValues {
  return { shape, data: Float32Array.from({ length: elementCount(shape) }, next) };
}
