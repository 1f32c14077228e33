/** What the programs of TensorFlow.js have in common: tensors in, a function that is run anew each time, a wait. */
import * as tf from "@tensorflow/tfjs";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import type { HostIndices, HostTensor, Program } from "../cases/problem.ts";

type Fn = (...inputs: tf.Tensor[]) => tf.Tensor;

export function array({ shape, data }: HostTensor): tf.Tensor {
  return tf.tensor(data, [...shape], "float32");
}

export function integers({ shape, data }: HostIndices): tf.Tensor {
  return tf.tensor(data, [...shape], "int32");
}

/** y = fn(...inputs), or the loss sum(y weight) and its gradient for each input. */
export function differentiated(fn: Fn, weight: HostTensor | null, hosts: readonly HostTensor[]): Program {
  const inputs = hosts.map(array);
  if (weight === null) return computed(() => [fn(...inputs)], inputs);
  const w = array(weight);
  const lossAndGradients = tf.valueAndGrads((...xs: tf.Tensor[]) =>
    fn(...xs)
      .mul(w)
      .sum(),
  );
  return computed(() => {
    const { value, grads } = lossAndGradients(inputs);
    return [value, ...grads];
  }, [w, ...inputs]);
}

export function computed(fn: () => tf.Tensor[], inputs: readonly tf.Tensor[]): Program {
  let last: tf.Tensor[] = [];
  const step = async (): Promise<void> => {
    tf.dispose(last);
    last = tf.tidy(fn);
  };
  return {
    step,
    wait: idle,
    async results() {
      await step();
      return Promise.all(last.map(floats));
    },
    notes: () => [],
    dispose: () => tf.dispose([...last, ...inputs]),
  };
}

/** It submits by itself after every few dispatches; the rest is flushed as reading a result does, without the reading. */
async function idle(): Promise<void> {
  const name = tf.getBackend();
  // On the processor ops are done when they return.
  if (name === "wasm" || name === "cpu") return;
  if (name === "webgl") {
    // What is read back comes after all that was asked for before. A small tensor would not go to the GPU at all.
    const last = tf.tidy(() => tf.ones([1024]).add(1));
    await last.data();
    return last.dispose();
  }
  const backend = tf.backend() as WebGPUBackend;
  backend.ensureCommandEncoderReady();
  backend.endComputePassEncoder();
  backend.submitQueue();
  await backend.queue.onSubmittedWorkDone();
}

export async function floats(result: tf.Tensor): Promise<Float32Array> {
  return Float32Array.from(await result.data());
}
