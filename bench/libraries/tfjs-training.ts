/** Steps of training in TensorFlow.js: variables, `variableGrads`, its own optimizers. */
import * as tf from "@tensorflow/tfjs";
import { present } from "../../src/base/assert.ts";
import { COMPARED_STEPS } from "../cases/problem.ts";
import type { CharGptProblem, GptSize, HostIndices, HostTensor, MlpProblem, Program } from "../cases/problem.ts";
import { transposed } from "../cases/values.ts";
import { attend, causalMask, gelu, layerNorm } from "./tfjs-layers.ts";
import { array, floats, integers } from "./tfjs-programs.ts";

/** Its type of a gradient, which it does not export. */
interface NamedTensor {
  readonly name: string;
  readonly tensor: tf.Tensor;
}

type Weights = Readonly<Record<string, tf.Variable>>;

const LAYER_NORM_EPS = 1e-5;

export function mlp({ layers, x, labels, learningRate }: MlpProblem): Program {
  const classes = layers.at(-1)?.bias.shape[0] ?? 0;
  const weights = layers.map(({ weight, bias }) => [variable(weight), variable(bias)] as const);
  const [input, y] = [array(x), oneHot(labels, classes)];
  const loss = (): tf.Scalar => {
    const logits = weights.reduce<tf.Tensor>((h, [w, b], i) => {
      const out = tf.matMul(h, w).add(b);
      return i + 1 < weights.length ? out.relu() : out;
    }, input);
    return tf.losses.softmaxCrossEntropy(y, logits).asScalar();
  };
  const optimizer = tf.train.sgd(learningRate);
  const update = (gradients: readonly NamedTensor[]): void => optimizer.applyGradients([...gradients]);
  return training(loss, update, [optimizer, ...weights.flat(), input, y]);
}

export function charGpt({ size, weights: hosts, tokens, targets, adamw }: CharGptProblem): Program {
  const weights = Object.fromEntries(Object.entries(hosts).map(([name, host]) => [name, variable(asTf(name, host))]));
  const [x, y, mask] = [integers(tokens), oneHot(targets, size.vocabulary), causalMask(size.context)];
  const loss = (): tf.Scalar => tf.losses.softmaxCrossEntropy(y, gpt(weights, x, mask, size)).asScalar();
  const { learningRate, beta1, beta2, eps, weightDecay } = adamw;
  const optimizer = tf.train.adam(learningRate, beta1, beta2, eps);
  const update = (gradients: readonly NamedTensor[]): void => {
    // It has no decay apart from the gradient: that much is by hand.
    tf.tidy(() => {
      for (const weight of Object.values(weights)) weight.assign(weight.mul(1 - learningRate * weightDecay));
    });
    optimizer.applyGradients([...gradients]);
  };
  return training(loss, update, [optimizer, ...Object.values(weights), x, y, mask]);
}

/** Its users multiply x W with W [inputs, outputs]. Embeddings are as everywhere. */
function asTf(name: string, host: HostTensor): HostTensor {
  return host.shape.length === 2 && !/^w[tp]e\./.test(name) ? transposed(host) : host;
}

/** Tokens [batch, time] -> logits [batch * time, vocabulary]. */
function gpt(weights: Weights, tokens: tf.Tensor, mask: tf.Tensor, size: GptSize): tf.Tensor {
  const { width, heads, layers } = size;
  const [batch = 0, time = 0] = tokens.shape;
  const get = (name: string): tf.Variable => present(weights[name], `tfjs: the weight ${name}`);
  const linear = (x: tf.Tensor, name: string): tf.Tensor =>
    tf.matMul(x, get(`${name}.weight`)).add(get(`${name}.bias`));
  const norm = (x: tf.Tensor, name: string): tf.Tensor =>
    layerNorm(x, get(`${name}.weight`), get(`${name}.bias`), LAYER_NORM_EPS);
  const positions = get("wpe.weight").slice([0, 0], [time, width]);
  let x = tf
    .gather(get("wte.weight"), tokens)
    .add(positions)
    .reshape([batch * time, width]);
  for (let i = 0; i < layers; i++) {
    const block = `blocks.${i}`;
    const qkv = linear(norm(x, `${block}.ln1`), `${block}.attention.qkv`);
    const [q, k, v] = tf
      .split(qkv, 3, -1)
      .map((part) => part.reshape([batch, time, heads, width / heads]).transpose([0, 2, 1, 3])) as [tf.Tensor, tf.Tensor, tf.Tensor]; // prettier-ignore
    const attended = attend(q, k, v, mask)
      .transpose([0, 2, 1, 3])
      .reshape([batch * time, width]);
    x = x.add(linear(attended, `${block}.attention.proj`));
    x = x.add(linear(gelu(linear(norm(x, `${block}.ln2`), `${block}.fc`)), `${block}.out`));
  }
  return tf.matMul(norm(x, "lnf"), get("head.weight"));
}

function training(
  lossFn: () => tf.Scalar,
  update: (gradients: readonly NamedTensor[]) => void,
  owned: readonly { dispose(): void }[],
): Program {
  let loss: tf.Scalar | null = null;
  const step = async (): Promise<void> => {
    loss?.dispose();
    loss = tf.tidy(() => {
      const { value, grads } = tf.variableGrads(lossFn);
      update(Object.entries(grads).map(([name, tensor]) => ({ name, tensor })));
      return value;
    });
  };
  return {
    step,
    wait: async () => void (await loss?.data()),
    async results() {
      const losses: number[] = [];
      for (let i = 0; i < COMPARED_STEPS; i++) {
        await step();
        if (loss !== null) losses.push((await floats(loss))[0] ?? Number.NaN);
      }
      return [Float32Array.from(losses)];
    },
    notes: () => [],
    dispose() {
      loss?.dispose();
      for (const each of owned) each.dispose();
    },
  };
}

function variable(host: HostTensor): tf.Variable {
  return tf.tidy(() => tf.variable(array(host)));
}

/** [..] -> [places, classes] */
function oneHot(labels: HostIndices, classes: number): tf.Tensor {
  return tf.tidy(() => tf.oneHot(integers(labels).flatten() as tf.Tensor1D, classes).toFloat());
}
