/**
 * Dynamic loss scaling for float16 (Micikevicius et al., "Mixed Precision Training", 2018): the loss is multiplied by a
 * scale, so that small gradients do not vanish; a step whose gradients overflow is left out and the scale lowered.
 *
 * Whether to leave a step out is decided on the device, by selects: all of it works inside compiled functions.
 */
import { OptionError } from "../../base/errors.ts";
import { tensor } from "../../compute/tensor/create.ts";
import { noGrad } from "../../compute/tensor/grad-mode.ts";
import { isFinite } from "../../compute/tensor/ops/is-finite.ts";
import { where } from "../../compute/tensor/ops/where.ts";
import { Tensor } from "../../compute/tensor/tensor.ts";
import { currentTrace } from "../../compute/tensor/trace.ts";
import type { Trace } from "../../compute/tensor/trace.ts";
import { setValues } from "../nn/set-values.ts";
import type { Optimizer } from "./optimizer.ts";

/** Options of `GradScaler`. */
export interface GradScalerOptions {
  /** The first scale; 65536 by default. */
  readonly initScale?: number;
  /** By what the scale grows; 2 by default. */
  readonly growthFactor?: number;
  /** By what it falls after an overflow; 0.5 by default. */
  readonly backoffFactor?: number;
  /** Steps without overflow after which it grows; 2000 by default. */
  readonly growthInterval?: number;
  /** Off: everything passes as it is. On by default. */
  readonly enabled?: boolean;
}

/** Plain values: what `stateDict()` gives. */
export interface GradScalerState {
  readonly scale: number;
  readonly growthTracker: number;
}

/** The scale stays below the largest power of two of float32. */
const SCALE_MAX = 2 ** 127;

const DEFAULTS: Required<GradScalerOptions> = {
  initScale: 65_536,
  growthFactor: 2,
  backoffFactor: 0.5,
  growthInterval: 2000,
  enabled: true,
};

/**
 * Dynamic loss scaling for float16: scales the loss up so that small gradients stay above 0, scales gradients down
 * before the step, and leaves out steps whose gradients overflowed. Works inside compiled functions: nothing is read
 * back.
 */
export class GradScaler {
  readonly #options: Required<GradScalerOptions>;
  /** Of shape []. */
  readonly #scale: Tensor;
  /** Steps since the scale last changed, of shape []. */
  readonly #growthTracker: Tensor;
  /** By optimizer, from `unscale` to `update`: [] (bool), whether a gradient overflowed. */
  #overflows = new Map<Scalable, Tensor>();
  /** The compiled function in which they were found. */
  #trace: Trace | null = null;

  /** @throws OptionError */
  constructor(options: GradScalerOptions = {}) {
    this.#options = { ...DEFAULTS, ...options };
    const { initScale, growthFactor, backoffFactor, growthInterval } = this.#options;
    if (!(initScale > 0 && growthFactor > 1 && backoffFactor > 0 && backoffFactor < 1 && growthInterval >= 1)) {
      throw new OptionError(
        `GradScaler: expected initScale > 0, growthFactor > 1, backoffFactor from 0 to 1 and growthInterval from 1, found ${initScale}, ${growthFactor}, ${backoffFactor} and ${growthInterval}`,
      );
    }
    this.#scale = tensor({ shape: [], data: Float32Array.of(initScale) });
    this.#growthTracker = tensor({ shape: [], data: Float32Array.of(0) });
  }

  /** `loss` times the scale: what `backward` is called on. */
  scale(loss: Tensor): Tensor {
    return this.#options.enabled ? loss.mul(this.#scale.detach()) : loss;
  }

  /**
   * Divides the gradients of an optimizer by the scale, in float32, to be clipped or looked at before `step`.
   * @throws OptionError the second time before `update`
   */
  unscale(optimizer: Scalable): void {
    if (!this.#options.enabled) return;
    const overflows = this.#found();
    if (overflows.has(optimizer)) {
      throw new OptionError("GradScaler.unscale: expected once for an optimizer before update, found twice");
    }
    noGrad(() => {
      const factor = this.#scale.reciprocal();
      const bad: Tensor[] = [];
      for (const parameter of optimizer.parameters) {
        if (parameter.grad === null || parameter.size === 0) continue;
        const gradient = parameter.grad.detach();
        bad.push(isFinite(gradient).logicalNot().cast("float32").max());
        parameter.grad = gradient.cast("float32").mul(factor).cast(gradient.dtype);
      }
      const any = bad.reduce((all, one) => all.maximum(one), this.#growthTracker.mul(0));
      overflows.set(optimizer, any.gt(0));
    });
  }

  /** The optimizer's step, unless a gradient is infinite or no number: then neither parameters nor state change. */
  step(optimizer: Scalable): void {
    if (!this.#options.enabled) {
      optimizer.step();
      return;
    }
    if (!this.#found().has(optimizer)) this.unscale(optimizer);
    const skipIf = this.#found().get(optimizer);
    optimizer.step(skipIf ? { skipIf } : {});
  }

  /** After the steps of all optimizers: lowers the scale if one was left out, else raises it from time to time. */
  update(): void {
    if (!this.#options.enabled) return;
    const found = [...this.#found().values()];
    const { growthFactor, backoffFactor, growthInterval } = this.#options;
    if (found.length === 0) throw new OptionError("GradScaler.update: expected a step before it, found none");
    noGrad(() => {
      const overflowed = found.reduce((all, one) => all.logicalOr(one));
      const count = this.#growthTracker.add(1);
      const isGrowing = count.ge(growthInterval);
      const grown = where(isGrowing, this.#scale.mul(growthFactor).minimum(SCALE_MAX), this.#scale);
      const scale = where(overflowed, this.#scale.mul(backoffFactor), grown);
      const tracker = where(overflowed.logicalOr(isGrowing), 0, count);
      this.#scale.assign(scale);
      this.#growthTracker.assign(tracker.cast("float32"));
    });
    this.#overflows.clear();
  }

  /** The scale now, read from the device. */
  getScale(): Promise<number> {
    return this.#options.enabled ? this.#scale.item() : Promise.resolve(1);
  }

  /** Scale and count of steps, read from the device. */
  async stateDict(): Promise<GradScalerState> {
    const [scale, tracker] = await Tensor.readAll([this.#scale, this.#growthTracker]);
    return { scale: scale?.[0] ?? 1, growthTracker: tracker?.[0] ?? 0 };
  }

  /** @throws OptionError */
  loadStateDict({ scale, growthTracker }: GradScalerState): void {
    if (!(scale > 0) || !(growthTracker >= 0)) {
      throw new OptionError(
        `GradScaler.loadStateDict: expected a scale above 0 and a growthTracker from 0, found ${scale} and ${growthTracker}`,
      );
    }
    setValues("GradScaler.loadStateDict", this.#scale, Float32Array.of(scale));
    setValues("GradScaler.loadStateDict", this.#growthTracker, Float32Array.of(growthTracker));
  }

  /** What was found since the last `update`. What a compiled function found that then failed is forgotten. */
  #found(): Map<Scalable, Tensor> {
    const trace = currentTrace();
    if (trace !== this.#trace) this.#overflows = new Map();
    this.#trace = trace;
    return this.#overflows;
  }
}

/** What a scaler needs of an optimizer. */
export type Scalable = Pick<Optimizer, "parameters" | "step">;
