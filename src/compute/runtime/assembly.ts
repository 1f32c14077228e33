/**
 * From lowered kernels to commands: every value gets a buffer, every kernel its bindings.
 *
 * Values that live only inside the program share buffers by lifetime (`memory/placement.ts`).
 */
import { present } from "../../base/assert.ts";
import type { Lowered } from "../compiler/lower.ts";
import type { Node } from "../compiler/ir.ts";
import type { Command, DeviceBuffer, DeviceKernel } from "../device/device.ts";
import { planPlacement } from "../memory/placement.ts";
import type { BufferPool } from "./buffer-pool.ts";
import { bytesOfNode } from "./leaves.ts";

export interface Assembly {
  /** A dispatch for each kernel. */
  readonly commands: readonly Command[];
  /** The buffer of every stored node. */
  readonly bufferOf: (node: Node) => DeviceBuffer;
  /** Buffers from the pool that hold the inner values; the caller gives them back. */
  readonly scratch: readonly DeviceBuffer[];
}

/**
 * @param placed the buffers of leaves and of outputs that have to be somewhere; undefined for inner values
 * @param keptToEnd inner values that are still read after the last kernel
 */
export function assemble(
  { kernels }: Lowered,
  compiled: readonly DeviceKernel[],
  placed: (node: Node) => DeviceBuffer | undefined,
  keptToEnd: ReadonlySet<Node>,
  pool: BufferPool,
): Assembly {
  const lastRead = new Map<Node, number>();
  for (const [step, { inputs }] of kernels.entries()) for (const input of inputs) lastRead.set(input, step);
  const inner: Node[] = [];
  const lifetimes = [];
  for (const [step, { outputs }] of kernels.entries()) {
    for (const output of outputs) {
      if (placed(output) !== undefined) continue;
      inner.push(output);
      const last = keptToEnd.has(output) ? kernels.length : (lastRead.get(output) ?? step);
      lifetimes.push({ bytes: bytesOfNode(output), first: step, last });
    }
  }
  const { slots, slotBytes } = planPlacement(lifetimes);
  const scratch = slotBytes.map((bytes) => pool.take(bytes));
  const buffers = new Map(inner.map((node, i) => [node, scratch[slots[i] ?? 0]]));
  const bufferOf = (node: Node): DeviceBuffer =>
    present(placed(node) ?? buffers.get(node), `assemble: the buffer of a ${node.primitive.kind}`);
  const commands = kernels.map(({ outputs, inputs }, step): Command => {
    const kernel = present(compiled[step], "assemble: a compiled kernel");
    return { kind: "dispatch", kernel, buffers: [...outputs, ...inputs].map(bufferOf) };
  });
  return { commands, bufferOf, scratch };
}
