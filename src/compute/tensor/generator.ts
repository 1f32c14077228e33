/**
 * Keys for ops that draw on the device: a seed and a count of draws, in a tensor, so that compiled functions advance
 * them. The host counts along, so that keys drawn outside of compiled functions are data that nothing overwrites.
 */
import { OptionError } from "../../base/errors.ts";
import { Random } from "../../base/random.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { hostTensor } from "./host-tensor.ts";
import { noGrad } from "./grad-mode.ts";
import { nextKey } from "./key-tape.ts";
import { unwitnessed } from "./live-tensors.ts";
import { currentRuntime, withRuntime } from "./runtime-scope.ts";
import { iotaTensor } from "./source.ts";
import type { Tensor } from "./tensor.ts";
import { currentTrace, outsideTrace } from "./trace.ts";

const SEED_MAX = Number.MAX_SAFE_INTEGER;

/**
 * A stream of random numbers for tensors: a seed and a count of draws. Each draw takes one key, so that what is drawn
 * depends on its place in the stream alone, not on the device.
 */
export class Generator {
  /** [seed, draws so far] (uint32): `reset` is the way to change it. */
  readonly state: Tensor;
  #seed: number;
  #draws: number = 0;

  /** Starts at `seed`, or at a place that a `Random` names. @throws OptionError for what is no whole number from 0 */
  constructor(seed: number | Random = 0) {
    this.#seed = seed instanceof Random ? seed.uint32() : wordOf(seed);
    this.state = hostTensor(Uint32Array.of(this.#seed, 0));
  }

  /** Starts again at `seed`: the same numbers follow every time. */
  manualSeed(seed: number): this {
    this.reset(seed);
    return this;
  }

  /** Starts again, at a place that `seed` and `draws` name: the same keys follow every time. */
  reset(seed: number, draws = 0): void {
    this.#seed = wordOf(seed);
    this.#draws = draws;
    this.state.write(Uint32Array.of(this.#seed, draws));
  }

  /** A Philox key (uint32 [2]) that no other call gets. */
  nextKey(): Tensor {
    return nextKey(() => this.#draw());
  }

  #draw(): Tensor {
    const trace = currentTrace();
    if (trace === null) {
      const key = hostTensor(Uint32Array.of(this.#seed, this.#draws));
      this.#draws += 1;
      this.state.write(Uint32Array.of(this.#seed, this.#draws));
      return key;
    }
    trace.onRun(() => {
      this.#draws += 1;
    });
    return noGrad(() => {
      const key = this.state.detach();
      this.state.assign(key.add(iotaTensor([2], 0).cast("uint32")));
      return key;
    });
  }
}

/** Seeds below 2^32 are themselves; larger ones are mixed into 32 bits. */
function wordOf(seed: number): number {
  if (!(Number.isSafeInteger(seed) && seed >= 0)) {
    throw new OptionError(`seed: expected a whole number from 0 to ${SEED_MAX}, found ${seed}`);
  }
  const high = Math.floor(seed / 2 ** 32);
  return ((seed >>> 0) ^ Math.imul(high, 0x9e3779b1)) >>> 0;
}

let defaultSeed = 0;
const byRuntime = new WeakMap<Runtime, Generator>();
/** All of `byRuntime`, to seed them again. */
const all = new Set<WeakRef<Generator>>();

/** What draws when no generator is given: one for each runtime, at seed 0 until `manualSeed`. */
export function defaultGenerator(): Generator {
  const runtime = currentRuntime("random");
  const known = byRuntime.get(runtime);
  if (known !== undefined) return known;
  const made = unwitnessed(() => outsideTrace(() => withRuntime(runtime, () => new Generator(defaultSeed))));
  byRuntime.set(runtime, made);
  all.add(new WeakRef(made));
  return made;
}

let hostRandom = new Random(0, "host");

/** What draws on the host when nothing else is given, layers' initial values above all: at seed 0 until `manualSeed`. */
export function defaultRandom(): Random {
  return hostRandom;
}

/** Starts the default generators, of devices and of the host, again at `seed`: the same numbers follow, on every device, compiled or not. @throws OptionError */
export function manualSeed(seed: number): void {
  wordOf(seed);
  if (currentTrace() !== null) {
    throw new OptionError("manualSeed: expected to be outside of compiled functions, found it inside");
  }
  defaultSeed = seed;
  hostRandom = new Random(seed, "host");
  for (const reference of all) {
    const generator = reference.deref();
    // The numbers of a runtime that is destroyed are nobody's.
    if (generator === undefined || generator.state.value.runtime?.isDestroyed === true) all.delete(reference);
    else generator.reset(seed);
  }
}
