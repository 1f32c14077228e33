/**
 * Which way through a step is taken: the cheapest of the first kind that does it.
 *
 * Kinds in the order of what they cost a user: recomputing for at most the price of the step once more; moving values
 * out and back as well; recomputing at any price that can be waited for. Where kernels start together, they may also do
 * so one after another.
 */
import { extraCostOf, tidied, type Action } from "./actions.ts";
import { aliveIn } from "./alive.ts";
import { stepsApart } from "./apart.ts";
import { COST_OF_DISPATCH } from "./prices.ts";
import { StepModel } from "./step-model.ts";
import { withoutNeedless } from "./take-back.ts";
import { walkWithin, type WalkLimits } from "./walk.ts";

/** What recomputing may cost before all else is tried, and in the end; in steps. */
const SANE_PRICE = 1;
const LAST_PRICE = 8;
/** Parts of the sane price for which something is recomputed where values are moved as well. */
const MIXTURES = [1, 0.5, 0.25, 0.125, 0];
/** Halvings of the interval in which the least memory is looked for. */
const HALVINGS = 7;

/** A way through a step. */
export interface Way {
  readonly model: StepModel;
  readonly actions: readonly Action[];
  /** The most bytes alive at once. */
  readonly boundBytes: number;
  readonly extraCost: number;
}

/** What may be done. */
export interface Allowed {
  readonly recompute: boolean;
  readonly offload: boolean;
}

/** The cheapest way that was found with at most `targetBytes` alive at once, or the one with the least. */
export function findWay(model: StepModel, targetBytes: number, allowed: Allowed): Way {
  const asItIs = plainWay(model, 0);
  return asItIs.boundBytes <= targetBytes ? asItIs : new Search(asItIs, targetBytes, allowed).run();
}

function plainWay(model: StepModel, extraCost: number): Way {
  const actions = model.steps.map((_, step): Action => ({ kind: "run", step }));
  return { model, actions, boundBytes: aliveIn(model, actions).mostBytes, extraCost };
}

class Search {
  /** The step as it is, and with kernels one after another. */
  readonly #starts: readonly Way[];
  readonly #targetBytes: number;
  readonly #allowed: Allowed;
  readonly #price: number;

  constructor(asItIs: Way, targetBytes: number, allowed: Allowed) {
    const { model } = asItIs;
    const more = model.works.length - model.steps.length;
    const apart = more === 0 ? [] : [plainWay(new StepModel(stepsApart(model), model.facts), more * COST_OF_DISPATCH)];
    this.#starts = [asItIs, ...apart];
    this.#targetBytes = targetBytes;
    this.#allowed = allowed;
    this.#price = model.cost;
  }

  run(): Way {
    const { recompute, offload } = this.#allowed;
    const sane = recompute ? SANE_PRICE * this.#price : 0;
    const mixtures = recompute ? MIXTURES.map((part) => part * sane) : [0];
    const kinds: (() => Way[])[] = [
      () => [...this.#starts, ...(recompute ? this.#walks(Infinity, sane) : [])],
      // Much recomputing may be in the way of itself, where memory is short.
      () => (offload ? mixtures.flatMap((price) => this.#walks(price, 2 * price)) : []),
      () => (recompute && !offload ? this.#walks(Infinity, LAST_PRICE * this.#price) : []),
    ];
    for (const kind of kinds) {
      const way = this.#cheapest(kind());
      if (way !== undefined) return way;
    }
    // From here on nothing depends on the target: what is said to be the least can be had when it is asked for.
    const ways = this.#starts.flatMap((start) => this.#leastOf(start));
    const least = ways.reduce((best, way) => (way.boundBytes < best.boundBytes ? way : best));
    return this.#cheapest(ways) ?? improved(least, least.boundBytes);
  }

  /** The cheapest of `ways` that fits, if there is one. */
  #cheapest(ways: readonly Way[]): Way | undefined {
    const fitting = ways.filter(({ boundBytes }) => boundBytes <= this.#targetBytes);
    const final = fitting.map((way) => improved(way, this.#targetBytes));
    return final.sort((a, b) => a.extraCost - b.extraCost)[0];
  }

  #walks(promisedMax: number, spentMax: number): Way[] {
    const offload = this.#allowed.offload && promisedMax < Infinity;
    const limits = { bytesMax: this.#targetBytes, offload, promisedMax, spentMax };
    return this.#starts.flatMap((start) => walk(start, limits) ?? []);
  }

  /** Ways from `start` with less and less in memory; at least one. */
  #leastOf(start: Way): Way[] {
    const { recompute, offload } = this.#allowed;
    const { floorBytes } = start.model;
    if (offload) return [walk(start, { offload, promisedMax: 0, spentMax: 0, bytesMax: floorBytes }) ?? start];
    const ways = [start];
    let [low, high] = [floorBytes, start.boundBytes];
    for (let i = 0; recompute && i < HALVINGS && low < high; i++) {
      const bytesMax = Math.sqrt(low * high);
      const limits = { offload, promisedMax: Infinity, spentMax: LAST_PRICE * this.#price, bytesMax };
      const way = walk(start, limits);
      if (way !== undefined) ways.push(way);
      if (way !== undefined && way.boundBytes <= bytesMax) high = way.boundBytes;
      else low = bytesMax;
    }
    return ways;
  }
}

function walk(start: Way, limits: WalkLimits): Way | undefined {
  const { model } = start;
  const walked = walkWithin(model, limits);
  if (walked === undefined) return undefined;
  const actions = tidied(model, walked);
  const extraCost = start.extraCost + extraCostOf(model, actions);
  return { model, actions, boundBytes: aliveIn(model, actions).mostBytes, extraCost };
}

/** `way` without what it does in vain for `bytesMax`. */
function improved(way: Way, bytesMax: number): Way {
  const { model } = way;
  const actions = withoutNeedless(model, way.actions, bytesMax);
  const extraCost = way.extraCost - extraCostOf(model, way.actions) + extraCostOf(model, actions);
  return { model, actions, boundBytes: aliveIn(model, actions).mostBytes, extraCost };
}
