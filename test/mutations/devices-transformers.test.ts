/** Edited transformers on WebGPU in Node. */
import { TRANSFORMERS } from "./models.ts";
import { deviceSuite } from "./device-suite.ts";

await deviceSuite(TRANSFORMERS);
