/**
 * Opens a library by name, on `navigator.gpu` or on the processor. TensorFlow.js looks for what there is when its module
 * is loaded, so every module of a peer is loaded here and not before; a peer that does not load fails alone.
 */
import type { Runtime } from "hearth";
import { OptionError } from "../../src/base/errors.ts";
import type { Backend } from "../options.ts";
import type { Library, PeerBackend } from "./library.ts";

/** `name` may say on which backend: "tfjs on cpu". @throws whatever a peer throws when it does not find its device */
export async function openLibrary(name: string, backend: Backend, runtime: Runtime): Promise<Library> {
  const [library, told] = name.split(" on ") as [string, PeerBackend | undefined];
  switch (library) {
    case "hearth":
      return (await import("./hearth.ts")).openHearth(runtime);
    case "jax-js":
      return (await import("./jax-js.ts")).openJaxJs(told ?? backend);
    case "tfjs":
      return (await import("./tfjs.ts")).openTfjs(told ?? backend, await tfjsStart(told ?? backend));
    default:
      throw new OptionError(`openLibrary: expected hearth, jax-js or tfjs, found "${name}"`);
  }
}

async function tfjsStart(backend: PeerBackend): Promise<() => Promise<{ readonly lost: Promise<unknown> }>> {
  switch (backend) {
    case "wasm":
      return (await import("./tfjs-wasm.ts")).startWasm;
    case "webgpu":
      return (await import("./tfjs-webgpu.ts")).startWebGpu;
    case "webgl":
    case "cpu": {
      const { startOther } = await import("./tfjs-others.ts");
      return () => startOther(backend);
    }
  }
}
