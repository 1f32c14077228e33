/**
 * Opens a library by name, on `navigator.gpu` or on the processor. TensorFlow.js looks for what there is when its module
 * is loaded, so every module of a peer is loaded here and not before; a peer that does not load fails alone.
 */
import type { Runtime } from "hearth";
import { OptionError } from "../../src/base/errors.ts";
import type { Backend } from "../options.ts";
import type { Library } from "./library.ts";

/** @throws whatever a peer throws when it does not find its device */
export async function openLibrary(name: string, backend: Backend, runtime: Runtime): Promise<Library> {
  switch (name) {
    case "hearth":
      return (await import("./hearth.ts")).openHearth(runtime);
    case "jax-js":
      return (await import("./jax-js.ts")).openJaxJs(backend);
    case "tfjs":
      if (backend === "webgpu")
        return (await import("./tfjs.ts")).openTfjs((await import("./tfjs-webgpu.ts")).startWebGpu);
      return (await import("./tfjs.ts")).openTfjs((await import("./tfjs-wasm.ts")).startWasm);
    default:
      throw new OptionError(`openLibrary: expected hearth, jax-js or tfjs, found "${name}"`);
  }
}
