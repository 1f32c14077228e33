/** PyTorch's optimizers as plain float64 loops over numbers, from the algorithms in its documentation. */

/** Options by PyTorch's names in camelCase; all are given. */
export interface HostOptions {
  readonly lr: number;
  readonly weightDecay: number;
  readonly maximize: boolean;
  readonly eps: number;
  readonly betas: readonly [number, number];
  readonly momentum: number;
  readonly dampening: number;
  readonly nesterov: boolean;
  readonly amsgrad: boolean;
  readonly alpha: number;
  readonly centered: boolean;
  readonly lrDecay: number;
  readonly initialAccumulatorValue: number;
  readonly rho: number;
  readonly momentumDecay: number;
}

/** One number's course: the memory that a step keeps under names of its own. */
type Memory = Record<string, number>;
type HostStep = (p: number, g: number, t: number, m: Memory, o: HostOptions) => number;

const average = (m: Memory, name: string, value: number, beta: number): number =>
  (m[name] = beta * (m[name] ?? 0) + (1 - beta) * value);

const sgd: HostStep = (p, gradient, t, m, o) => {
  const g = gradient + o.weightDecay * p;
  if (o.momentum === 0) return p - o.lr * g;
  const b = (m["b"] = t === 1 ? g : o.momentum * (m["b"] ?? 0) + (1 - o.dampening) * g);
  return p - o.lr * (o.nesterov ? g + o.momentum * b : b);
};

const adamMove = (g: number, t: number, m: Memory, o: HostOptions): number => {
  const first = average(m, "m", g, o.betas[0]) / (1 - o.betas[0] ** t);
  const second = average(m, "v", g * g, o.betas[1]);
  const most = (m["x"] = Math.max(m["x"] ?? 0, second));
  return (o.lr * first) / (Math.sqrt((o.amsgrad ? most : second) / (1 - o.betas[1] ** t)) + o.eps);
};

const rmsprop: HostStep = (p, gradient, _t, m, o) => {
  const g = gradient + o.weightDecay * p;
  const square = average(m, "v", g * g, o.alpha);
  const mean = average(m, "a", g, o.alpha);
  const d = g / (Math.sqrt(o.centered ? square - mean * mean : square) + o.eps);
  const b = (m["b"] = o.momentum * (m["b"] ?? 0) + d);
  return p - o.lr * b;
};

const adagrad: HostStep = (p, gradient, t, m, o) => {
  const g = gradient + o.weightDecay * p;
  const sum = (m["s"] = (m["s"] ?? o.initialAccumulatorValue) + g * g);
  return p - ((o.lr / (1 + (t - 1) * o.lrDecay)) * g) / (Math.sqrt(sum) + o.eps);
};

const adadelta: HostStep = (p, gradient, _t, m, o) => {
  const g = gradient + o.weightDecay * p;
  const square = average(m, "v", g * g, o.rho);
  const d = (Math.sqrt((m["u"] ?? 0) + o.eps) / Math.sqrt(square + o.eps)) * g;
  average(m, "u", d * d, o.rho);
  return p - o.lr * d;
};

const adamax: HostStep = (p, gradient, t, m, o) => {
  const g = gradient + o.weightDecay * p;
  const first = average(m, "m", g, o.betas[0]);
  const most = (m["u"] = Math.max(o.betas[1] * (m["u"] ?? 0), Math.abs(g) + o.eps));
  return p - ((o.lr / (1 - o.betas[0] ** t)) * first) / most;
};

const nadam: HostStep = (p, gradient, t, m, o) => {
  const g = gradient + o.weightDecay * p;
  const mu = (step: number): number => o.betas[0] * (1 - 0.5 * 0.96 ** (step * o.momentumDecay));
  const product = (m["p"] = (m["p"] ?? 1) * mu(t));
  const first = (mu(t + 1) * average(m, "m", g, o.betas[0])) / (1 - product * mu(t + 1));
  const second = average(m, "v", g * g, o.betas[1]) / (1 - o.betas[1] ** t);
  return p - (o.lr * (first + ((1 - mu(t)) * g) / (1 - product))) / (Math.sqrt(second) + o.eps);
};

const radam: HostStep = (p, gradient, t, m, o) => {
  const g = gradient + o.weightDecay * p;
  const first = average(m, "m", g, o.betas[0]) / (1 - o.betas[0] ** t);
  const second = average(m, "v", g * g, o.betas[1]);
  const most = 2 / (1 - o.betas[1]) - 1;
  const rho = most - (2 * t * o.betas[1] ** t) / (1 - o.betas[1] ** t);
  if (rho <= 5) return p - o.lr * first;
  const r = Math.sqrt(((rho - 4) * (rho - 2) * most) / ((most - 4) * (most - 2) * rho));
  return p - (o.lr * first * r * Math.sqrt(1 - o.betas[1] ** t)) / (Math.sqrt(second) + o.eps);
};

const lion: HostStep = (p, g, _t, m, o) => {
  const before = m["m"] ?? 0;
  const direction = Math.sign(o.betas[0] * before + (1 - o.betas[0]) * g);
  average(m, "m", g, o.betas[1]);
  return p * (1 - o.lr * o.weightDecay) - o.lr * direction;
};

const STEPS: Readonly<Record<string, HostStep>> = {
  SGD: sgd,
  Adam: (p, g, t, m, o) => p - adamMove(g + o.weightDecay * p, t, m, o),
  AdamW: (p, g, t, m, o) => p * (1 - o.lr * o.weightDecay) - adamMove(g, t, m, o),
  RMSprop: rmsprop,
  Adagrad: adagrad,
  Adadelta: adadelta,
  Adamax: adamax,
  NAdam: nadam,
  RAdam: radam,
  Lion: lion,
};

export const HOST_OPTIMIZERS: readonly string[] = Object.keys(STEPS);

/** The course of one number: null gradients are steps without one. */
export function hostCourse(
  name: string,
  start: number,
  gradients: readonly (number | null)[],
  optionsAt: (step: number) => HostOptions,
): number {
  const memory: Memory = {};
  let p = start;
  let t = 0;
  gradients.forEach((gradient, step) => {
    if (gradient === null) return;
    const options = optionsAt(step);
    t += 1;
    p = STEPS[name]?.(p, options.maximize ? -gradient : gradient, t, memory, options) ?? Number.NaN;
  });
  return p;
}
