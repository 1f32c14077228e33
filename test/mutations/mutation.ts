/**
 * An edited model: what somebody makes of a stock one, written with the public entry alone. Each file in `models` has a
 * few of a family; `training.ts` trains them.
 */
import type { HostValues, Inputs, Tensor } from "../../src/index.ts";

/** Losses, and whatever else is worth comparing, by name: [] each. */
export type Watched = Readonly<Record<string, Tensor>>;

/** A model with its optimizers, ready to be trained on one batch. */
export interface Training {
  readonly batch: Readonly<Record<string, HostValues>>;
  /** Forward, backward and the optimizers' step. Called by `compile`, and without it. */
  step(inputs: Inputs<string>): Watched;
  /** What a loop does between two steps on the host: schedules. */
  between(): void;
  /** What is measured after the last step. */
  after(inputs: Inputs<string>): Watched;
}

export interface Mutation {
  /** What was edited. */
  readonly name: string;
  /** Makes model and optimizers; layers draw their initial values from random numbers in scope. */
  readonly make: () => Training;
  /** It computes in float16, which not every device has. */
  readonly isHalf?: boolean;
  /**
   * A part of the first value that each of these has to fall to, or to rise to where it is above 1. The losses that are
   * not named may do what they want, as a GAN's do.
   */
  readonly goals: Readonly<Record<string, number>>;
}

/** `Training`, with the names of the batch known to `step`. */
interface NamedTraining<Names extends string> {
  readonly batch: Readonly<Record<Names, HostValues>>;
  step(inputs: Inputs<Names>): Watched;
  between?(): void;
  after?(inputs: Inputs<Names>): Watched;
}

/** A training from its parts: no schedules and nothing measured afterwards where they are left out. */
export function training<Names extends string>({
  batch,
  step,
  between = () => {},
  after = () => ({}),
}: NamedTraining<Names>): Training {
  return { batch, step: step as Training["step"], between, after: after as Training["after"] };
}
