/** TensorFlow.js on one of its backends: each problem as its users write it, tensors freed by `tf.tidy`. */
import * as tf from "@tensorflow/tfjs";
import type { AttentionProblem, Conv2dProblem, Program } from "../cases/problem.ts";
import { permuted } from "../cases/values.ts";
import { attend, causalMask, gelu, layerNorm } from "./tfjs-layers.ts";
import { array, computed, differentiated } from "./tfjs-programs.ts";
import { charGpt, mlp } from "./tfjs-training.ts";
import type { Library, PeerBackend } from "./library.ts";
import { onBackend } from "./on-backend.ts";

/** `start` starts the backend; `lost` resolves when its device is gone. */
export async function openTfjs(
  backend: PeerBackend,
  start: () => Promise<{ readonly lost: Promise<unknown> }>,
): Promise<Library> {
  tf.enableProdMode();
  const { lost } = await start();
  const library: Library = {
    lost,
    programs: {
      matmul({ a, b }) {
        const [x, y] = [array(a), array(b)];
        return computed(() => [tf.matMul(x, y)], [x, y]);
      },
      gelu: ({ x, weight }) => differentiated(gelu, weight, [x]),
      softmax: ({ x, weight }) => differentiated((input) => tf.softmax(input), weight, [x]),
      layerNorm: ({ x, gain, bias, eps, weight }) =>
        differentiated((input, w, b) => layerNorm(input, w, b, eps), weight, [x, gain, bias]),
      attention,
      conv2d,
      mlp,
      charGpt,
    },
  };
  return onBackend(library, async () => {
    if (tf.getBackend() !== backend) await tf.setBackend(backend);
  });
}

function attention({ q, k, v, weight }: AttentionProblem): Program {
  const [, time = 0] = q.shape;
  const mask = causalMask(time);
  const program = differentiated((query, key, value) => attend(query, key, value, mask), weight, [q, k, v]);
  return {
    ...program,
    dispose() {
      program.dispose();
      mask.dispose();
    },
  };
}

/** Its convolutions have the channels last: [batch, height, width, channels], kernels [height, width, inputs, outputs]. */
function conv2d({ x, kernel, padding, weight }: Conv2dProblem): Program {
  const [batch = 0, inputs = 0, height = 0, width = 0] = x.shape;
  const [outputs = 0, , side = 0] = kernel.shape;
  const program = differentiated(
    (input, w) => tf.conv2d(input as tf.Tensor4D, w as tf.Tensor4D, 1, padding),
    permuted(weight, [0, 2, 3, 1]),
    [permuted(x, [0, 2, 3, 1]), permuted(kernel, [2, 3, 1, 0])],
  );
  return {
    ...program,
    async results() {
      const [loss = new Float32Array(), dx = new Float32Array(), dkernel = new Float32Array()] =
        await program.results();
      const dxHost = { shape: [batch, height, width, inputs], data: Float32Array.from(dx) };
      const dkernelHost = { shape: [side, side, inputs, outputs], data: Float32Array.from(dkernel) };
      return [loss, permuted(dxHost, [0, 3, 1, 2]).data, permuted(dkernelHost, [3, 2, 0, 1]).data];
    },
  };
}
