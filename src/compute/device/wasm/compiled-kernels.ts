/** Kernels as compiled modules, each kept under what it does. */
import type { Kernel } from "../../lang/kernel.ts";
import { kernelKey } from "../../lang/kernel-key.ts";
import { IMPORTS } from "../../lang/wasm/library.ts";
import { printWasm, RUN, type WasmTarget } from "../../lang/wasm/print-wasm.ts";
import type { DeviceKernel } from "../device.ts";

/** Runs the invocations [from, to), with addresses as `print-wasm.ts` says. */
export type RunKernel = (args: number, from: number, to: number, scratch: number) => void;

/** A module and this thread's instance of it. */
export interface CompiledModule {
  /** Tells modules of a device apart. */
  readonly id: number;
  readonly module: WebAssembly.Module;
  readonly run: RunKernel;
  readonly scratchBytes: number;
  /** Of the last call, roughly. */
  invocationsPerMs: number;
}

/** A kernel of a WebAssembly device. */
export class WasmKernel implements DeviceKernel {
  readonly kernel: Kernel;
  readonly compiled: CompiledModule;

  constructor(kernel: Kernel, compiled: CompiledModule) {
    this.kernel = kernel;
    this.compiled = compiled;
  }
}

/** Before anything is measured: an invocation may be a long loop. */
const FIRST_INVOCATIONS_PER_MS = 64;

/** What printed modules import beside their memory. */
const MATH: { readonly [name: string]: (a: number, b: number) => number } = {
  pow: Math.pow,
  remainder: (a, b) => a % b,
};

/** Compiles each kernel once. */
export class CompiledKernels {
  readonly #memory: WebAssembly.Memory;
  readonly #target: WasmTarget;
  readonly #modules = new Map<string, Promise<CompiledModule>>();
  #count = 0;

  constructor(memory: WebAssembly.Memory, target: WasmTarget) {
    this.#memory = memory;
    this.#target = target;
  }

  /** The module of `kernel`. */
  get(kernel: Kernel): Promise<CompiledModule> {
    const key = kernelKey(kernel);
    const known = this.#modules.get(key);
    if (known !== undefined) return known;
    const made = this.#compile(kernel);
    this.#modules.set(key, made);
    // A failure may pass; whoever asked is told of it.
    made.catch(() => this.#modules.delete(key));
    return made;
  }

  clear(): void {
    this.#modules.clear();
  }

  async #compile(kernel: Kernel): Promise<CompiledModule> {
    this.#count += 1;
    const id = this.#count;
    const { bytes, scratchBytes } = printWasm(kernel, this.#target);
    const module = await WebAssembly.compile(bytes);
    const run = await instantiate(module, this.#memory);
    return { id, module, run, scratchBytes, invocationsPerMs: FIRST_INVOCATIONS_PER_MS };
  }
}

/** The function of a module over `memory`. */
async function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): Promise<RunKernel> {
  const { exports } = await WebAssembly.instantiate(module, importsOf(memory));
  return exports[RUN] as RunKernel;
}

/** The same at once, which engines allow threads. */
export function instantiateNow(module: WebAssembly.Module, memory: WebAssembly.Memory): RunKernel {
  return new WebAssembly.Instance(module, importsOf(memory)).exports[RUN] as RunKernel;
}

function importsOf(memory: WebAssembly.Memory): WebAssembly.Imports {
  const math = Object.fromEntries(IMPORTS.map(({ name }) => [name, MATH[name] as (a: number, b: number) => number]));
  return { env: { memory }, math };
}
