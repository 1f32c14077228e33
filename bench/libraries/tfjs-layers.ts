/** What TensorFlow.js has no function for, written out. */
import * as tf from "@tensorflow/tfjs";

/** By its approximation with tanh. */
export function gelu(x: tf.Tensor): tf.Tensor {
  const cubic = x.mul(x).mul(0.044715).add(1).mul(x);
  return x.mul(0.5).mul(
    cubic
      .mul(Math.sqrt(2 / Math.PI))
      .tanh()
      .add(1),
  );
}

/** Over the last axis. */
export function layerNorm(x: tf.Tensor, gain: tf.Tensor, bias: tf.Tensor, eps: number): tf.Tensor {
  const { mean, variance } = tf.moments(x, -1, true);
  return x.sub(mean).mul(variance.add(eps).rsqrt()).mul(gain).add(bias);
}

/** [time, time]: 0 where a place may look, a very small number where not. */
export function causalMask(time: number): tf.Tensor {
  return tf.tidy(() =>
    tf.linalg
      .bandPart(tf.ones([time, time]), -1, 0)
      .sub(1)
      .mul(1e9),
  );
}

/** [.., time, size] each. */
export function attend(q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, mask: tf.Tensor): tf.Tensor {
  const scale = 1 / Math.sqrt(q.shape.at(-1) ?? 1);
  return tf.matMul(tf.softmax(tf.matMul(q, k, false, true).mul(scale).add(mask)), v);
}
