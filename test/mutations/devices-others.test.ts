/** Edited models other than transformers on WebGPU in Node. */
import { OTHERS } from "./models.ts";
import { deviceSuite } from "./device-suite.ts";

await deviceSuite(OTHERS);
