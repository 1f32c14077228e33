/**
 * Opens a library by name on `navigator.gpu`. TensorFlow.js looks for that when its module is loaded, so every module of
 * a peer is loaded here and not before; a peer that does not load fails alone.
 */
import type { Runtime } from "hearth";
import { OptionError } from "../../src/base/errors.ts";
import type { Library } from "./library.ts";

/** @throws whatever a peer throws when it does not find its device */
export async function openLibrary(name: string, runtime: Runtime): Promise<Library> {
  switch (name) {
    case "hearth":
      return (await import("./hearth.ts")).openHearth(runtime);
    case "jax-js":
      return (await import("./jax-js.ts")).openJaxJs();
    case "tfjs":
      return (await import("./tfjs.ts")).openTfjs();
    default:
      throw new OptionError(`openLibrary: expected hearth, jax-js or tfjs, found "${name}"`);
  }
}
