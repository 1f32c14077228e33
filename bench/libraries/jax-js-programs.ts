/** What the programs of jax-js have in common: arrays in, a compiled function, a wait. */
import { blockUntilReady, defaultDevice, jit, numpy as np, valueAndGrad } from "@jax-js/jax";
import type { HostIndices, HostTensor, Program } from "../cases/problem.ts";

type Fn = (...inputs: np.Array[]) => np.Array;

export function array({ shape, data }: HostTensor): np.Array {
  return np.array(data, { shape: [...shape] });
}

export function integers({ shape, data }: HostIndices): np.Array {
  return np.array(data, { shape: [...shape], dtype: np.int32 });
}

/** y = fn(...inputs), or the loss sum(y weight) and its gradient for each input. */
export function differentiated(fn: Fn, weight: HostTensor | null, hosts: readonly HostTensor[]): Program {
  const inputs = hosts.map(array);
  if (weight === null) return computed((...xs) => [fn(...xs)], inputs);
  const lossAndGradients = valueAndGrad(
    (w: np.Array, ...xs: np.Array[]) =>
      fn(...xs)
        .mul(w)
        .sum(),
    {
      argnums: hosts.map((_, i) => i + 1),
    },
  );
  return computed(
    (...xs) => {
      const [loss, gradients] = lossAndGradients(...(xs as [np.Array, ...np.Array[]]));
      return [loss, ...(gradients as np.Array[])];
    },
    [array(weight), ...inputs],
  );
}

export function computed(fn: (...inputs: np.Array[]) => np.Array[], inputs: readonly np.Array[]): Program {
  const compiled = jit(fn);
  let last: np.Array[] = [];
  const step = async (): Promise<void> => {
    for (const output of last) output.dispose();
    last = compiled(...inputs.map((input) => input.ref));
    await submit(last);
  };
  return {
    step,
    wait: async () => void (await blockUntilReady(last)),
    async results() {
      await step();
      return Promise.all(last.map((output) => floats(output.ref)));
    },
    notes: () => [],
    dispose() {
      for (const owned of [...last, ...inputs]) owned.dispose();
      compiled.dispose();
    },
  };
}

/**
 * Arrays are lazy: what nobody asks for is never computed. Asking for a buffer submits what makes it, and does not wait
 * for the device; on the processor, which has none, it is made at once. All results of one compiled call are made
 * together.
 */
export async function submit([first]: readonly np.Array[]): Promise<void> {
  if (first === undefined) return;
  if (defaultDevice() === "webgpu") await first.ref.gpuBuffer();
  else await blockUntilReady([first]);
}

/** Takes `output`. */
export async function floats(output: np.Array): Promise<Float32Array> {
  return Float32Array.from(await output.data());
}
