/** What the libraries are asked to compute: values of the host, the same for all, and what comes of them. */

/** A tensor's worth of values, row-major. */
export interface HostTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array<ArrayBuffer>;
}

/** Classes or tokens. */
export interface HostIndices {
  readonly shape: readonly number[];
  readonly data: Int32Array<ArrayBuffer>;
}

/** y = f(x) alone, or, with `weight`, the loss sum(y * weight) and its gradients too. */
interface Differentiated {
  /** In y's shape. */
  readonly weight: HostTensor | null;
}

/** [rows, inner] x [inner, columns]. Gives the product. */
export interface MatmulProblem {
  readonly a: HostTensor;
  readonly b: HostTensor;
}

/** x / 2 (1 + tanh(sqrt(2 / pi) x (1 + 0.044715 x^2))), written out. Gives y, or loss and dx. */
export interface GeluProblem extends Differentiated {
  readonly x: HostTensor;
}

/** Along the last axis. Gives y, or loss and dx. */
export interface SoftmaxProblem extends Differentiated {
  readonly x: HostTensor;
}

/** Along the last axis. Gives y, or loss, dx, dgain and dbias. */
export interface LayerNormProblem extends Differentiated {
  readonly x: HostTensor;
  readonly gain: HostTensor;
  readonly bias: HostTensor;
  readonly eps: number;
}

/** q, k, v and weight: [heads, time, size]; softmax(q k^T / sqrt(size)) v, each place seeing none after it. Gives loss, dq, dk, dv. */
export interface AttentionProblem {
  readonly q: HostTensor;
  readonly k: HostTensor;
  readonly v: HostTensor;
  readonly weight: HostTensor;
}

/** x [batch, inputs, height, width], kernel [outputs, inputs, size, size]. Gives loss, dx and dkernel. */
export interface Conv2dProblem {
  readonly x: HostTensor;
  readonly kernel: HostTensor;
  readonly padding: number;
  readonly weight: HostTensor;
}

/** Linear layers with relu between them, cross entropy, a step of SGD. Gives the losses of the first steps. */
export interface MlpProblem {
  /** `weight` [inputs, outputs], `bias` [outputs]. */
  readonly layers: readonly { readonly weight: HostTensor; readonly bias: HostTensor }[];
  readonly x: HostTensor;
  readonly labels: HostIndices;
  readonly learningRate: number;
}

export interface GptSize {
  readonly vocabulary: number;
  readonly context: number;
  readonly width: number;
  readonly heads: number;
  readonly layers: number;
}

export interface AdamWSettings {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  /** Times the learning rate and the parameter, taken from it. */
  readonly weightDecay: number;
}

/** The model of `examples/gpt.ts`, cross entropy over all places, a step of AdamW. Gives the losses of the first steps. */
export interface CharGptProblem {
  readonly size: GptSize;
  /** By the names of `examples/gpt.ts`, whose linear layers hold [outputs, inputs]. */
  readonly weights: Readonly<Record<string, HostTensor>>;
  /** [batch, context] */
  readonly tokens: HostIndices;
  readonly targets: HostIndices;
  readonly adamw: AdamWSettings;
}

/** Steps whose losses are compared. */
export const COMPARED_STEPS = 3;

/** What a library makes of a problem: its own program, ready to run. */
export interface Program {
  /** Submits one step, and does not wait for the device. */
  step(): Promise<void>;
  /** Until the device has done all that was submitted. */
  wait(): Promise<void>;
  /** What the problem says that it gives, of the first step or steps. Called once, before `step`. */
  results(): Promise<Float32Array[]>;
  /** What else there is to tell, after `results`. */
  notes(): readonly string[];
  dispose(): void;
}

type Make<Problem> = (problem: Problem) => Program | Promise<Program>;

/** All that a library must be able to do: one that lacks a problem does not compile. */
export interface Programs {
  readonly matmul: Make<MatmulProblem>;
  readonly gelu: Make<GeluProblem>;
  readonly softmax: Make<SoftmaxProblem>;
  readonly layerNorm: Make<LayerNormProblem>;
  readonly attention: Make<AttentionProblem>;
  readonly conv2d: Make<Conv2dProblem>;
  readonly mlp: Make<MlpProblem>;
  readonly charGpt: Make<CharGptProblem>;
}
