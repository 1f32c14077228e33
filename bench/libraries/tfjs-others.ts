/** TensorFlow.js's other backends: WebGL, and plain JavaScript. */
import * as tf from "@tensorflow/tfjs";
import { UnsupportedError } from "../../src/base/errors.ts";

/** @throws UnsupportedError when it does not start */
export async function startOther(backend: "cpu" | "webgl"): Promise<{ readonly lost: Promise<unknown> }> {
  const isThere = await tf.setBackend(backend);
  if (!isThere) throw new UnsupportedError(`tfjs: expected the backend ${backend}, found that it does not start`);
  await tf.ready();
  return { lost: new Promise(() => {}) };
}
