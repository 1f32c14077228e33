/** One problem on one device: buffers with its values, and kernels of its candidates to run and time. */
import { UnsupportedError } from "../../base/errors.ts";
import { present } from "../../base/assert.ts";
import type { Bytes } from "../../base/bytes.ts";
import type { Node } from "../compiler/ir.ts";
import { lower } from "../compiler/lower.ts";
import { DEFAULT_CHOICES, ForcedChoices, type Choices } from "../compiler/tuning/choices.ts";
import { microProblem, type MicroProblem } from "../compiler/tuning/micro-problem.ts";
import type { Problem } from "../compiler/tuning/problem.ts";
import type { Command, Device, DeviceBuffer } from "../device/device.ts";
import { assemble } from "./assembly.ts";
import { BufferPool } from "./buffer-pool.ts";
import { bytesOfNode } from "./leaves.ts";

/** A candidate's kernels, ready to run. */
export type Prepared = readonly Command[];

export class ProblemBench {
  readonly #device: Device;
  readonly #problem: Problem;
  readonly #micro: MicroProblem;
  /** Its own, so that the runtime's memory is not counted up by measuring. */
  readonly #pool: BufferPool;
  readonly #inputs: ReadonlyMap<Node, DeviceBuffer>;
  readonly #output: DeviceBuffer;

  constructor(device: Device, problem: Problem) {
    this.#device = device;
    this.#problem = problem;
    this.#micro = microProblem(problem);
    this.#pool = new BufferPool(device);
    const inputs = new Map<Node, DeviceBuffer>();
    for (const { leaf, bytes } of this.#micro.inputs) {
      const buffer = this.#pool.take(bytes.byteLength);
      device.write(buffer, bytes);
      inputs.set(leaf, buffer);
    }
    this.#inputs = inputs;
    this.#output = this.#pool.take(bytesOfNode(this.#micro.output));
  }

  get output(): Node {
    return this.#micro.output;
  }

  /** Compiles a candidate. @throws UnsupportedError where the problem does not offer it; what the device throws */
  async prepare(candidate: string): Promise<Prepared> {
    const { kind } = this.#problem;
    const choices = new ForcedChoices(kind, candidate);
    const prepared = await this.#compile(choices);
    if (choices.wasOffered) return prepared;
    throw new UnsupportedError(`tune: expected a small ${kind} to offer ${candidate} too, found others`);
  }

  /** Compiles the default. */
  async prepareDefault(): Promise<Prepared> {
    return await this.#compile(DEFAULT_CHOICES);
  }

  async #compile(choices: Choices): Promise<Prepared> {
    const lowered = lower([this.#micro.output], this.#device.info.limits.bindingsMax, { choices });
    const compiled = await Promise.all(lowered.kernels.map(({ kernel }) => this.#device.createKernel(kernel)));
    const stored = present(lowered.outputs[0], "ProblemBench: an output");
    const placed = (node: Node): DeviceBuffer | undefined => (node === stored ? this.#output : this.#inputs.get(node));
    return assemble(lowered, compiled, placed, new Set(), this.#pool).commands;
  }

  /** Runs it once; the bytes of the output. */
  async run(prepared: Prepared): Promise<Bytes> {
    const bytes = bytesOfNode(this.#micro.output);
    // What the candidate before left there may be right, and this one may store nothing.
    this.#device.write(this.#output, new Uint8Array(bytes).fill(0xff));
    this.#device.submit(this.#device.record(prepared));
    return await this.#device.read(this.#output, bytes);
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

  destroy(): void {
    this.#pool.destroy();
  }
}
