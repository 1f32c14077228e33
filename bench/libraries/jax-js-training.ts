/** Steps of training in jax-js: loss, gradients and the optimizer's update in one compiled function. */
import { blockUntilReady, jit, nn, numpy as np, tree, valueAndGrad } from "@jax-js/jax";
import { COMPARED_STEPS } from "../cases/problem.ts";
import type { AdamWSettings, CharGptProblem, GptSize, HostTensor, MlpProblem, Program } from "../cases/problem.ts";
import { transposed } from "../cases/values.ts";
import { array, floats, integers, submit } from "./jax-js-programs.ts";

/** Weights, or what an optimizer keeps of each, by name. */
type Weights = Record<string, np.Array>;
/** What a step takes and gives anew. */
type State = Record<string, Weights>;
type LossFn = (weights: Weights, x: np.Array, y: np.Array) => np.Array;

export function mlp({ layers, x, labels, learningRate }: MlpProblem): Program {
  const classes = layers.at(-1)?.bias.shape[0] ?? 0;
  const weights = Object.fromEntries(
    layers.flatMap(({ weight, bias }, i) => [
      [`w${i}`, array(weight)],
      [`b${i}`, array(bias)],
    ]),
  ) as Weights;
  const loss: LossFn = (given, input, y) => {
    const logits = layers.reduce((h, _, i) => {
      const out = np.matmul(h, get(given, `w${i}`)).add(get(given, `b${i}`));
      return i + 1 < layers.length ? nn.relu(out) : out;
    }, input);
    tree.dispose(given);
    return crossEntropy(logits, y, classes);
  };
  const update = (state: State, gradients: Weights): State => ({
    weights: zip(own(state, "weights"), gradients, (w, g) => w.sub(g.mul(learningRate))),
  });
  return training({ weights }, loss, update, [array(x), integers(labels)]);
}

export function charGpt({ size, weights: hosts, tokens, targets, adamw }: CharGptProblem): Program {
  const weights = Object.fromEntries(Object.entries(hosts).map(([name, host]) => [name, array(asJax(name, host))]));
  const loss: LossFn = (given, x, y) => crossEntropy(gpt(given, x, size), y, size.vocabulary);
  const zeros = (): Weights => tree.map((weight: np.Array) => np.zeros(weight.shape), weights) as Weights;
  // The powers of the betas that the next step divides by.
  const powers = { beta1: np.array(adamw.beta1), beta2: np.array(adamw.beta2) };
  const state: State = { weights, first: zeros(), second: zeros(), powers };
  const update = (before: State, gradients: Weights): State => adamW(before, gradients, adamw);
  return training(state, loss, update, [integers(tokens), integers(targets)]);
}

/** Its users multiply x W with W [inputs, outputs]. Embeddings are as everywhere. */
function asJax(name: string, host: HostTensor): HostTensor {
  return host.shape.length === 2 && !/^w[tp]e\./.test(name) ? transposed(host) : host;
}

/** Takes `weights`. Tokens [batch, time] -> logits. */
function gpt(weights: Weights, tokens: np.Array, { width, heads, layers }: GptSize): np.Array {
  const [batch = 0, time = 0] = tokens.shape;
  const linear = (x: np.Array, name: string): np.Array =>
    np.matmul(x, get(weights, `${name}.weight`)).add(get(weights, `${name}.bias`));
  const norm = (x: np.Array, name: string): np.Array =>
    nn
      .standardize(x, -1)
      .mul(get(weights, `${name}.weight`))
      .add(get(weights, `${name}.bias`));
  let x = np.take(get(weights, "wte.weight"), tokens, 0).add(get(weights, "wpe.weight").slice([0, time]));
  for (let i = 0; i < layers; i++) {
    const block = `blocks.${i}`;
    const qkv = np.split(linear(norm(x.ref, `${block}.ln1`), `${block}.attention.qkv`), 3, -1);
    const [q, k, v] = qkv.map((part) => part.reshape([batch, time, heads, width / heads])) as [np.Array, np.Array, np.Array]; // prettier-ignore
    const attended = nn.dotProductAttention(q, k, v, { isCausal: true }).reshape([batch, time, width]);
    x = x.add(linear(attended, `${block}.attention.proj`));
    const hidden = nn.gelu(linear(norm(x.ref, `${block}.ln2`), `${block}.fc`));
    x = x.add(linear(hidden, `${block}.out`));
  }
  const logits = np.matmul(norm(x, "lnf"), get(weights, "head.weight"));
  tree.dispose(weights);
  return logits;
}

/** The mean over all places. */
function crossEntropy(logits: np.Array, targets: np.Array, classes: number): np.Array {
  const count = targets.size;
  return nn
    .logSoftmax(logits, -1)
    .mul(nn.oneHot(targets, classes))
    .sum()
    .mul(-1 / count);
}

function adamW(state: State, gradients: Weights, settings: AdamWSettings): State {
  const { learningRate, beta1, beta2, eps, weightDecay } = settings;
  const powers = own(state, "powers");
  const average = (decay: number) => (before: np.Array, value: np.Array) => before.mul(decay).add(value.mul(1 - decay));
  const first = zip(own(state, "first"), tree.ref(gradients), average(beta1));
  const squares = tree.map((g: np.Array) => np.square(g), gradients) as Weights;
  const second = zip(own(state, "second"), squares, average(beta2));
  const rest = (name: string): np.Array => np.subtract(1, get(powers, name));
  const [rest1, rest2] = [rest("beta1"), rest("beta2")];
  const steps = zip(tree.ref(first), tree.ref(second), (m, v) =>
    m.div(rest1.ref).div(np.sqrt(v.div(rest2.ref)).add(eps)),
  );
  rest1.dispose();
  rest2.dispose();
  const weights = zip(own(state, "weights"), steps, (w, step) =>
    w.mul(1 - learningRate * weightDecay).sub(step.mul(learningRate)),
  );
  const next = { beta1: get(powers, "beta1").mul(beta1), beta2: get(powers, "beta2").mul(beta2) };
  tree.dispose(powers);
  return { weights, first, second, powers: next };
}

function training(
  initial: State,
  lossFn: LossFn,
  update: (state: State, gradients: Weights) => State,
  [x, y]: readonly [np.Array, np.Array],
): Program {
  const compiled = jit((state: State, input: np.Array, target: np.Array): [np.Array, State] => {
    const [loss, gradients] = valueAndGrad(lossFn)(tree.ref(own(state, "weights")), input, target);
    return [loss, update(state, gradients as Weights)];
  });
  let state = initial;
  let loss: np.Array | null = null;
  const step = async (): Promise<void> => {
    loss?.dispose();
    [loss, state] = compiled(state, x.ref, y.ref) as [np.Array, State];
    await submit([loss]);
  };
  return {
    step,
    wait: async () => void (await loss?.ref.data()),
    async results() {
      const losses: number[] = [];
      for (let i = 0; i < COMPARED_STEPS; i++) {
        await step();
        if (loss !== null) losses.push((await floats(loss.ref))[0] ?? Number.NaN);
      }
      await blockUntilReady(state);
      return [Float32Array.from(losses)];
    },
    notes: () => [],
    dispose() {
      tree.dispose([state, x, y]);
      loss?.dispose();
      compiled.dispose();
    },
  };
}

function own(state: State, name: string): Weights {
  const weights = state[name];
  if (weights === undefined) throw new ReferenceError(`jax-js: no ${name} among ${Object.keys(state).join(", ")}`);
  return weights;
}

/** One more reference to a weight. */
function get(weights: Weights, name: string): np.Array {
  const weight = weights[name];
  if (weight === undefined) throw new ReferenceError(`jax-js: no ${name} among ${Object.keys(weights).join(", ")}`);
  return weight.ref;
}

/** Takes both. */
function zip(a: Weights, b: Weights, fn: (a: np.Array, b: np.Array) => np.Array): Weights {
  return tree.map(fn, a, b) as Weights;
}
