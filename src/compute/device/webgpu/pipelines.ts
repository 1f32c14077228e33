/** Kernels made into pipelines: printed, compiled in parallel, shared where their WGSL is the same. */
import { describeError, InvariantError, UnsupportedError } from "../../../base/errors.ts";
import type { Kernel } from "../../lang/kernel.ts";
import { isBoundWritable, printWgsl } from "../../lang/print-wgsl.ts";
import { SHADER_STAGE_COMPUTE } from "./constants.ts";

export interface Pipeline {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

/** Pipelines kept for kernels of the same text. A plan has some hundred; beyond this the oldest is made anew. */
const PIPELINES_MAX = 1024;

export class Pipelines {
  readonly #device: GPUDevice;
  readonly #bySource = new Map<string, Promise<Pipeline>>();
  readonly #layouts = new Map<string, { bindGroup: GPUBindGroupLayout; pipeline: GPUPipelineLayout }>();

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** @throws InvariantError with the compiler's words for WGSL it refuses; UnsupportedError when it fails otherwise. */
  get(kernel: Kernel): Promise<Pipeline> {
    const source = printWgsl(kernel);
    const known = this.#bySource.get(source);
    if (known !== undefined) return known;
    const made = this.#create(kernel, source);
    this.#bySource.set(source, made);
    made.catch(() => this.#bySource.delete(source));
    const [oldest] = this.#bySource.keys();
    if (this.#bySource.size > PIPELINES_MAX && oldest !== undefined) this.#bySource.delete(oldest);
    return made;
  }

  async #create(kernel: Kernel, source: string): Promise<Pipeline> {
    const device = this.#device;
    const label = kernel.name;
    const layout = this.#layout(kernel);
    // A refused module is reported with the pipeline, below; here it would only reach `uncapturederror`.
    device.pushErrorScope("validation");
    const module = device.createShaderModule({ label, code: source });
    const refusal = device.popErrorScope();
    const descriptor = { label, layout: layout.pipeline, compute: { module, entryPoint: "main" } };
    try {
      const [pipeline, refused] = await Promise.all([device.createComputePipelineAsync(descriptor), refusal]);
      if (refused !== null) throw new InvariantError(await describeRefusal(kernel, module, source, refused.message));
      return { pipeline, layout: layout.bindGroup };
    } catch (cause) {
      if (cause instanceof InvariantError) throw cause;
      const words = await describeRefusal(kernel, module, source, describeError(cause));
      const isRefused = (cause as Partial<GPUPipelineError>).reason !== "internal";
      throw isRefused ? new InvariantError(words, { cause }) : new UnsupportedError(words, { cause });
    }
  }

  /** One layout for each pattern of read and written bindings. */
  #layout(kernel: Kernel): { bindGroup: GPUBindGroupLayout; pipeline: GPUPipelineLayout } {
    const modes = kernel.bindings.map((binding) => {
      if (binding.aliasOf !== undefined) return null;
      return isBoundWritable(binding) ? "storage" : "read-only-storage";
    });
    const key = modes.join();
    let layout = this.#layouts.get(key);
    if (layout === undefined) {
      const bindGroup = this.#device.createBindGroupLayout({
        entries: modes.flatMap((type, binding) =>
          type === null ? [] : [{ binding, visibility: SHADER_STAGE_COMPUTE, buffer: { type } }],
        ),
      });
      layout = { bindGroup, pipeline: this.#device.createPipelineLayout({ bindGroupLayouts: [bindGroup] }) };
      this.#layouts.set(key, layout);
    }
    return layout;
  }
}

/** The compiler's messages, each with its line of WGSL; `otherwise` where it gives none. */
async function describeRefusal(
  kernel: Kernel,
  module: GPUShaderModule,
  source: string,
  otherwise: string,
): Promise<string> {
  const lines = source.split("\n");
  const { messages } = await module.getCompilationInfo();
  const words = messages
    .filter(({ type }) => type === "error")
    .map(({ lineNum, message }) => `${message} at line ${lineNum}: ${lines[lineNum - 1]?.trim() ?? ""}`);
  const found = words.length === 0 ? otherwise : words.join("; ");
  return `kernel ${kernel.name}: expected WGSL that compiles, found ${found}`;
}
