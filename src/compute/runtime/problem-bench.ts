/** One problem on one device: buffers with its values, and kernels of its candidates to run and time. */
import { present } from "../../base/assert.ts";
import type { Bytes } from "../../base/bytes.ts";
import type { Node } from "../compiler/ir.ts";
import { lower } from "../compiler/lower.ts";
import { DEFAULT_CHOICES, ForcedChoices, type Choices } from "../compiler/tuning/choices.ts";
import { microProblem, type MicroProblem } from "../compiler/tuning/micro-problem.ts";
import type { Problem } from "../compiler/tuning/problem.ts";
import type { Command, Device, DeviceBuffer } from "../device/device.ts";
import { bindKernel, layOut } from "./assembly.ts";
import { bytesOfNode } from "./leaves.ts";

/** A candidate's kernels, ready to run. */
export type Prepared = readonly Command[];

export class ProblemBench {
  readonly #device: Device;
  readonly #problem: Problem;
  readonly #micro: MicroProblem;
  /** Its own, so that the runtime's memory is not counted up by measuring. */
  readonly #buffers: DeviceBuffer[] = [];
  readonly #inputs: ReadonlyMap<Node, DeviceBuffer>;
  readonly #outputs: readonly DeviceBuffer[];

  constructor(device: Device, problem: Problem) {
    this.#device = device;
    this.#problem = problem;
    this.#micro = microProblem(problem);
    const inputs = new Map<Node, DeviceBuffer>();
    for (const { leaf, bytes } of this.#micro.inputs) {
      const buffer = this.#buffer(bytes.byteLength);
      device.write(buffer, bytes);
      inputs.set(leaf, buffer);
    }
    this.#inputs = inputs;
    this.#outputs = this.#micro.outputs.map((node) => this.#buffer(bytesOfNode(node)));
  }

  get outputs(): readonly Node[] {
    return this.#micro.outputs;
  }

  /** How far right results may be apart, of the largest. */
  get tolerance(): number {
    return this.#micro.tolerance;
  }

  /** Compiles a candidate; null where the problem does not offer it. @throws what the device throws */
  async prepare(candidate: string): Promise<Prepared | null> {
    const choices = new ForcedChoices(this.#problem.kind, candidate);
    const prepared = await this.#compile(choices);
    return choices.wasOffered ? prepared : null;
  }

  /** Compiles the default. */
  async prepareDefault(): Promise<Prepared> {
    return await this.#compile(DEFAULT_CHOICES);
  }

  async #compile(choices: Choices): Promise<Prepared> {
    const lowered = lower(this.#micro.outputs, this.#device.info.limits.bindingsMax, {
      choices,
      traits: this.#device.info,
    });
    const placed = (node: Node): DeviceBuffer | undefined =>
      this.#inputs.get(node) ?? this.#outputs[lowered.outputs.indexOf(node)];
    const steps = lowered.kernels.map((kernel) => ({ kind: "compute", kernels: [kernel] }) as const);
    const { bufferBytesMax } = this.#device.info.limits;
    const layout = layOut(steps, (node) => placed(node) === undefined, new Set(), bufferBytesMax);
    const inner = layout.buffersIn(layout.blockBytes.map((bytes) => this.#buffer(bytes)));
    const bufferOf = (node: Node): DeviceBuffer => present(placed(node) ?? inner.get(node), "tune: memory of a value");
    const dispatches = lowered.kernels.map((kernel) => bindKernel(kernel, bufferOf));
    const compiled = await Promise.all(dispatches.map(({ kernel }) => this.#device.createKernel(kernel)));
    return dispatches.map(({ buffers }, i) => {
      return { kind: "dispatch", kernel: present(compiled[i], "tune: a compiled kernel"), buffers };
    });
  }

  /** Runs it once; the bytes of each output. */
  async run(prepared: Prepared): Promise<Bytes[]> {
    // What the candidate before left there may be right, and this one may store nothing.
    for (const buffer of this.#outputs) this.#device.write(buffer, new Uint8Array(buffer.bytes).fill(0xff));
    this.#device.submit(this.#device.record(prepared));
    return await Promise.all(this.#outputs.map((buffer) => this.#device.read(buffer)));
  }

  /** Milliseconds of one of `repeats` runs in a row; null where the device could time none. */
  async timeMs(prepared: Prepared, repeats: number): Promise<number | null> {
    const commands = Array.from({ length: repeats }, () => prepared).flat();
    const times = await this.#device.measure(this.#device.record(commands));
    const known = times.filter((ms) => ms !== null);
    if (known.length === 0) return null;
    const sum = known.reduce((total, ms) => total + ms, 0);
    return (sum / known.length) * prepared.length;
  }

  #buffer(bytes: number): DeviceBuffer {
    const buffer = this.#device.createBuffer(Math.max(4, bytes));
    this.#buffers.push(buffer);
    return buffer;
  }

  destroy(): void {
    for (const buffer of this.#buffers) buffer.destroy();
  }
}
