/** What a plan made of a graph, told as data. All that reports need to know of `Lowered` is in this file. */
import type { Node } from "../compiler/ir.ts";
import { readInputs } from "../compiler/ir.ts";
import type { Lowered, LoweredKernel } from "../compiler/lower.ts";
import { countOperations } from "../lang/count-operations.ts";
import { bytesOfArray, type Kernel } from "../lang/kernel.ts";
import { printWgsl } from "../lang/print-wgsl.ts";
import { reportGraph } from "./graph-report.ts";
import type { KernelReport, PlanReport } from "./plan-report.ts";

/** What a report is made of. */
export interface PlanFacts {
  /** The graph as the operations made it: what was asked for. */
  readonly asked: readonly Node[];
  readonly lowered: Lowered;
  readonly scratchBytes: number;
  /** Milliseconds of each kernel; empty before a profile. */
  readonly ms: readonly (number | null)[];
}

/** The nodes that a kernel stores. */
function outputsOf({ output }: LoweredKernel): readonly Node[] {
  return [output];
}

/** The report of a plan. Prints every kernel: milliseconds for each. */
export function reportPlan({ asked, lowered, scratchBytes, ms }: PlanFacts): PlanReport {
  const { kernels } = lowered;
  const stored = new Set(kernels.flatMap(outputsOf));
  const makers = makersOf(kernels, stored);
  const after = reportGraph(lowered.outputs, {
    kernelsOf: (node) => makers.get(node) ?? [],
    isStored: (node) => stored.has(node),
  });
  const reports = kernels.map((lowered, step): KernelReport => {
    const { kernel } = lowered;
    return {
      name: kernel.name,
      invocations: kernel.invocations,
      bindings: kernel.bindings.length,
      source: printWgsl(kernel),
      readBytes: boundBytes(kernel, "read"),
      writtenBytes: boundBytes(kernel, "write"),
      operations: countOperations(kernel),
      outputs: outputsOf(lowered).map(after.idOf),
      ms: ms[step] ?? null,
    };
  });
  const graph = { before: reportGraph(asked).report, after: after.report };
  return { graph, kernels: reports, scratchBytes };
}

/** Bytes of the arrays that `kernel` reads, or writes: one for both counts for each. */
function boundBytes({ bindings }: Kernel, how: "read" | "write"): number {
  const touched = bindings.filter(({ access }) => access === how || access === "readWrite");
  return touched.reduce((sum, { type, length }) => sum + bytesOfArray(type, length), 0);
}

/** For each node, the kernels that compute it: those that store it, and those that compute it again inside of them. */
function makersOf(kernels: readonly LoweredKernel[], stored: ReadonlySet<Node>): Map<Node, number[]> {
  const makers = new Map<Node, number[]>();
  for (const [step, kernel] of kernels.entries()) {
    const own = outputsOf(kernel);
    const isRead = (node: Node): boolean => node.primitive.kind === "buffer" || stored.has(node);
    const seen = new Set<Node>(own);
    const stack = [...own];
    for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
      const steps = makers.get(node) ?? [];
      makers.set(node, steps);
      steps.push(step);
      for (const input of readInputs(node)) {
        if (seen.has(input) || isRead(input)) continue;
        seen.add(input);
        stack.push(input);
      }
    }
  }
  return makers;
}
