/**
 * What no graph says: hand-written kernels and copies on leaves, such as the packing of gradients. A runtime runs such
 * work by itself (`Runtime.work`) or within a plan, after a stage (`Plan.runStaged`); either way leaves are where the
 * runtime has them, and what a lost device had done is done again on the next one.
 */
import { present } from "../../base/assert.ts";
import type { Bytes } from "../../base/bytes.ts";
import type { Node } from "../compiler/ir.ts";
import type { Command, Device, DeviceBuffer, DeviceKernel } from "../device/device.ts";
import type { Kernel } from "../lang/kernel.ts";
import type { KernelCache } from "./kernel-cache.ts";

/** A kernel with a leaf for each of its bindings, or `bytes` bytes of one leaf into another, all in multiples of 4. */
export type LeafCommand =
  | { readonly kind: "dispatch"; readonly kernel: Kernel; readonly leaves: readonly Node[] }
  | {
      readonly kind: "copy";
      readonly source: Node;
      readonly sourceOffset: number;
      readonly target: Node;
      readonly targetOffset: number;
      readonly bytes: number;
    };

/** The first `bytes` bytes of a leaf. */
export interface LeafRead {
  readonly leaf: Node;
  readonly bytes: number;
}

/** Commands in order, and what is read when they are done, in one readback; in none where nothing is read. */
export interface LeafWork {
  readonly commands: readonly LeafCommand[];
  readonly reads: readonly LeafRead[];
}

/** What is done when a stage's `outputs` are there. */
export type StageWork = (stage: number, outputs: readonly Node[]) => LeafWork;

/** All leaves that have to be on the device. */
export function leavesOfWork({ commands, reads }: LeafWork): Node[] {
  const used = commands.flatMap((command) =>
    command.kind === "copy" ? [command.source, command.target] : command.leaves,
  );
  return [...used, ...reads.map(({ leaf }) => leaf)];
}

/** Leaves whose bytes are others afterwards. */
export function writtenByWork({ commands }: LeafWork): Node[] {
  return commands.flatMap((command) => {
    if (command.kind === "copy") return [command.target];
    return command.leaves.filter((_, at) => command.kernel.bindings[at]?.access !== "read");
  });
}

/** Runs works whose kernels are compiled; leaves must be on the device. */
export class LeafWorker {
  readonly #device: Device;
  readonly #compiled: ReadonlyMap<Kernel, DeviceKernel>;
  readonly #bufferOf: (leaf: Node) => DeviceBuffer;

  private constructor(
    device: Device,
    compiled: ReadonlyMap<Kernel, DeviceKernel>,
    bufferOf: (leaf: Node) => DeviceBuffer,
  ) {
    this.#device = device;
    this.#compiled = compiled;
    this.#bufferOf = bufferOf;
  }

  /** Compiles what `works` need. */
  static async create(
    { device, kernels }: { readonly device: Device; readonly kernels: KernelCache },
    works: readonly LeafWork[],
    bufferOf: (leaf: Node) => DeviceBuffer,
  ): Promise<LeafWorker> {
    const all = works.flatMap(({ commands }) =>
      commands.flatMap((command) => (command.kind === "dispatch" ? [command.kernel] : [])),
    );
    const distinct = [...new Set(all)];
    const compiled = await kernels.getAll(distinct.map(sharedReads));
    return new LeafWorker(device, new Map(distinct.map((kernel, at) => [kernel, present(compiled[at], "work: a kernel")])), bufferOf); // prettier-ignore
  }

  /** Submits the commands of one. */
  submit({ commands }: LeafWork, submit: (commands: readonly Command[]) => void): void {
    if (commands.length === 0) return;
    submit(
      commands.map((command): Command => {
        if (command.kind === "copy") {
          const { source, target } = command;
          return { ...command, source: this.#bufferOf(source), target: this.#bufferOf(target) };
        }
        const kernel = present(this.#compiled.get(command.kernel), "work: a compiled kernel");
        return { kind: "dispatch", kernel, buffers: command.leaves.map(this.#bufferOf) };
      }),
    );
  }

  /** What is to be read of one. */
  async read({ reads }: LeafWork): Promise<Bytes[]> {
    const some = reads.filter(({ bytes }) => bytes > 0);
    if (some.length === 0) return reads.map(() => new Uint8Array(0));
    const read = await this.#device.readMany(some.map(({ leaf, bytes }) => this.#bufferOf(leaf).part(0, bytes)));
    const byRead = new Map(some.map((each, at) => [each, present(read[at], "work: bytes")]));
    return reads.map((each) => byRead.get(each) ?? new Uint8Array(0));
  }
}

const shared = new WeakMap<Kernel, Kernel>();

/** Leaves are parts of few buffers: a kernel may write elsewhere in a buffer that it reads. */
export function sharedReads(kernel: Kernel): Kernel {
  const known = shared.get(kernel);
  if (known !== undefined) return known;
  const bindings = kernel.bindings.map((binding) =>
    binding.access === "read" ? { ...binding, isShared: true } : binding,
  );
  const made = { ...kernel, bindings };
  shared.set(kernel, made);
  return made;
}
