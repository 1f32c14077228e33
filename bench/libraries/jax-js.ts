/** jax-js: each problem as its users write it, with `jit` and `valueAndGrad`. Arrays belong to whoever is given them. */
import { defaultDevice, getWebGPUDevice, init, lax, nn, numpy as np } from "@jax-js/jax";
import { UnsupportedError } from "../../src/base/errors.ts";
import type { AttentionProblem, HostTensor, Program } from "../cases/problem.ts";
import { permuted } from "../cases/values.ts";
import { array, computed, differentiated } from "./jax-js-programs.ts";
import { charGpt, mlp } from "./jax-js-training.ts";
import type { Library, PeerBackend } from "./library.ts";
import { onBackend } from "./on-backend.ts";

/** @throws UnsupportedError when it does not find the device */
export async function openJaxJs(backend: PeerBackend): Promise<Library> {
  const devices = await init(backend);
  if (!devices.includes(backend)) {
    throw new UnsupportedError(`jax-js: expected the device ${backend}, found ${devices.join(", ")}`);
  }
  const library: Library = {
    lost: backend === "webgpu" ? getWebGPUDevice().lost : new Promise(() => {}),
    programs: {
      matmul: ({ a, b }) => computed((x, y) => [np.matmul(x, y)], [array(a), array(b)]),
      gelu: ({ x, weight }) => differentiated(gelu, weight, [x]),
      softmax: ({ x, weight }) => differentiated((input) => nn.softmax(input, -1), weight, [x]),
      layerNorm: ({ x, gain, bias, eps, weight }) =>
        differentiated((input, w, b) => layerNorm(input, w, b, eps), weight, [x, gain, bias]),
      attention,
      conv2d: ({ x, kernel, padding, weight }) =>
        differentiated((input, w) => lax.conv(input, w, [1, 1], around(padding)), weight, [x, kernel]),
      mlp,
      charGpt,
    },
  };
  return onBackend(library, async () => void defaultDevice(backend));
}

function gelu(x: np.Array): np.Array {
  const cubic = x.ref.mul(x.ref).mul(0.044715).add(1).mul(x.ref);
  return x.mul(0.5).mul(np.tanh(cubic.mul(Math.sqrt(2 / Math.PI))).add(1));
}

function layerNorm(x: np.Array, gain: np.Array, bias: np.Array, epsilon: number): np.Array {
  return nn.standardize(x, -1, { epsilon }).mul(gain).add(bias);
}

function around(padding: number): [number, number][] {
  return [
    [padding, padding],
    [padding, padding],
  ];
}

/** Its own attention, which wants [time, heads, size]. */
function attention({ q, k, v, weight }: AttentionProblem): Program {
  const swapped = (host: HostTensor): HostTensor => permuted(host, [1, 0, 2]);
  const program = differentiated(
    (query, key, value) => nn.dotProductAttention(query, key, value, { isCausal: true }),
    swapped(weight),
    [q, k, v].map(swapped),
  );
  const { shape } = swapped(q);
  return {
    ...program,
    async results() {
      const [loss = new Float32Array(), ...gradients] = await program.results();
      return [loss, ...gradients.map((data) => swapped({ shape, data: Float32Array.from(data) }).data)];
    },
  };
}
