/** Ours: each problem as a user of `hearth` writes it, compiled. */
import { compile, functional as F, grad, nn, optim, tensor } from "hearth";
import type { CompiledFunction, Inputs, Runtime, Tensor } from "hearth";
import { COMPARED_STEPS } from "../cases/problem.ts";
import type { CharGptProblem, HostTensor, MlpProblem, Program } from "../cases/problem.ts";
import { transposed } from "../cases/values.ts";
import { Gpt } from "../../examples/gpt.ts";
import type { Library } from "./library.ts";

/** `runtime` is the default one. */
export function openHearth(runtime: Runtime): Library {
  const computed = (fn: () => readonly Tensor[]): Program => computedProgram(runtime, fn);
  return {
    lost: runtime.device.lost,
    programs: {
      matmul(problem) {
        const [a, b] = [tensor(problem.a), tensor(problem.b)];
        return computed(() => [a.matmul(b)]);
      },
      gelu: ({ x, weight }) => computed(differentiated(gelu, weight, x)),
      softmax: ({ x, weight }) => computed(differentiated((input) => input.softmax(-1), weight, x)),
      layerNorm: ({ x, gain, bias, eps, weight }) =>
        computed(differentiated((input, w, b) => F.layerNorm(input, gain.shape, w, b, eps), weight, x, gain, bias)),
      attention: ({ q, k, v, weight }) =>
        computed(differentiated((...qkv) => F.scaledDotProductAttention(...qkv, { causal: true }), weight, q, k, v)),
      conv2d: ({ x, kernel, padding, weight }) =>
        computed(differentiated((input, w) => F.conv2d(input, w, null, { padding }), weight, x, kernel)),
      mlp: (problem) => mlp(runtime, problem),
      charGpt: (problem) => charGpt(runtime, problem),
    },
  };
}

/** Each as `HostTensor`'s tensor. */
type TensorsOf<Hosts extends readonly HostTensor[]> = { [I in keyof Hosts]: Tensor };

/** y = fn(...inputs), or the loss sum(y weight) and its gradient for each input. */
function differentiated<const Hosts extends readonly HostTensor[]>(
  fn: (...inputs: TensorsOf<Hosts>) => Tensor,
  weight: HostTensor | null,
  ...hosts: Hosts
): () => readonly Tensor[] {
  const inputs = hosts.map((host) => tensor(host, { requiresGrad: weight !== null })) as TensorsOf<Hosts>;
  if (weight === null) return () => [fn(...inputs)];
  const w = tensor(weight);
  return () => {
    const loss = fn(...inputs)
      .mul(w)
      .sum();
    return [loss, ...grad(loss, inputs)];
  };
}

function gelu(x: Tensor): Tensor {
  const cubic = x.mul(x).mul(0.044715).add(1).mul(x);
  return x.mul(0.5).mul(
    cubic
      .mul(Math.sqrt(2 / Math.PI))
      .tanh()
      .add(1),
  );
}

function computedProgram(runtime: Runtime, fn: () => readonly Tensor[]): Program {
  const plan = compile(fn, { runtime });
  return {
    step: async () => void (await plan()),
    wait: () => runtime.device.idle(),
    results: async () => Promise.all((await plan()).map(floats)),
    notes: () => [kernelsOf(plan)],
    dispose: () => plan.destroy(),
  };
}

function mlp(runtime: Runtime, { layers, x, labels, learningRate }: MlpProblem): Program {
  const modules = layers.flatMap(({ weight: { shape } }, i) => [
    ...(i === 0 ? [] : [new nn.ReLU()]),
    new nn.Linear(shape[0] ?? 0, shape[1] ?? 0),
  ]);
  const model = new nn.Sequential(...modules);
  const states = layers.map(({ weight, bias }, i) => [
    [`${2 * i}.weight`, transposed(weight)],
    [`${2 * i}.bias`, bias],
  ]);
  model.loadStateDict(Object.fromEntries(states.flat()) as Record<string, HostTensor>);
  const optimizer = new optim.SGD(model.parameters(), { lr: learningRate });
  return training(runtime, { model, optimizer, batch: { x: tensor(x), y: tensor(labels) } });
}

function charGpt(runtime: Runtime, { size, weights, tokens, targets, adamw }: CharGptProblem): Program {
  const { vocabulary, context, width, heads, layers } = size;
  const model = new Gpt(vocabulary, context, { width, heads, layers });
  model.loadStateDict(weights);
  const { learningRate: lr, beta1, beta2, eps, weightDecay } = adamw;
  const optimizer = new optim.AdamW(model.parameters(), { lr, betas: [beta1, beta2], eps, weightDecay });
  return training(runtime, { model, optimizer, batch: { x: tensor(tokens), y: tensor(targets) } });
}

interface Training {
  readonly model: nn.Module & { forward(x: Tensor): Tensor };
  readonly optimizer: { step(): void; zeroGrad(): void };
  readonly batch: Readonly<Record<"x" | "y", Tensor>>;
}

function training(runtime: Runtime, { model, optimizer, batch }: Training): Program {
  const step = compile(
    ({ x, y }: Inputs<"x" | "y">) => {
      const loss = F.crossEntropy(model.call(x), y);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      return loss;
    },
    { runtime },
  );
  let loss: Tensor | null = null;
  return {
    step: async () => void (loss = await step(batch)),
    wait: async () => void (await loss?.item()),
    async results() {
      const losses: number[] = [];
      for (let i = 0; i < COMPARED_STEPS; i++) losses.push(await (await step(batch)).item());
      return [Float32Array.from(losses)];
    },
    notes: () => [kernelsOf(step), `parameters: ${model.numParameters()}`],
    dispose: () => step.destroy(),
  };
}

/** Of the last plan made. */
function kernelsOf(compiled: Pick<CompiledFunction<never, Tensor>, "explain">): string {
  return `kernels: ${compiled.explain().at(-1)?.kernels.length ?? 0}`;
}

async function floats(result: Tensor): Promise<Float32Array> {
  return Float32Array.from(await result.data());
}
