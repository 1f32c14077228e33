/** Edited models other than transformers on WebGPU in Node. */
import { OTHERS } from "./models.ts";
import { webGpuSuite } from "./webgpu-suite.ts";

await webGpuSuite(OTHERS);
