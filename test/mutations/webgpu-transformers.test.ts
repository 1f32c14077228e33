/** Edited transformers on WebGPU in Node. */
import { TRANSFORMERS } from "./models.ts";
import { webGpuSuite } from "./webgpu-suite.ts";

await webGpuSuite(TRANSFORMERS);
