/** TensorFlow.js's WebGPU backend. */
import * as tf from "@tensorflow/tfjs";
import "@tensorflow/tfjs-backend-webgpu";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import { UnsupportedError } from "../../src/base/errors.ts";

/** @throws UnsupportedError when it finds no WebGPU */
export async function startWebGpu(): Promise<{ readonly lost: Promise<unknown> }> {
  const isThere = await tf.setBackend("webgpu");
  if (!isThere) throw new UnsupportedError("tfjs: expected the backend webgpu, found that it does not start");
  await tf.ready();
  return { lost: (tf.backend() as WebGPUBackend).device.lost };
}
