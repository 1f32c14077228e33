/** What a plan made of a graph, told as data. All that reports need to know of `Lowered` is in this file. */
import type { Node } from "../compiler/ir.ts";
import { readInputs } from "../compiler/ir.ts";
import type { LoweredKernel } from "../compiler/lower-region.ts";
import { countOperations } from "../lang/count-operations.ts";
import { bytesOfArray, type Kernel } from "../lang/kernel.ts";
import { printWgsl } from "../lang/print-wgsl.ts";
import { reportGraph } from "./graph-report.ts";
import type { KernelReport, PlanReport } from "./plan-report.ts";

/** What a report is made of. */
export interface PlanFacts {
  /** The graph as the operations made it: what was asked for. */
  readonly asked: readonly Node[];
  /** The graph that was lowered. */
  readonly outputs: readonly Node[];
  /** Kernels as they are bound, with those that each was made of: one, or several that were packed. */
  readonly dispatches: readonly { readonly kernel: Kernel; readonly parts: readonly LoweredKernel[] }[];
  readonly scratchBytes: number;
  /** Milliseconds of each kernel; empty before a profile. */
  readonly ms: readonly (number | null)[];
}

/** The report of a plan. Prints every kernel: milliseconds for each. */
export function reportPlan({ asked, outputs, dispatches, scratchBytes, ms }: PlanFacts): PlanReport {
  const stored = new Set(dispatches.flatMap(({ parts }) => parts.flatMap((part) => part.outputs)));
  const makers = makersOf(
    dispatches.map(({ parts }) => parts),
    stored,
  );
  const after = reportGraph(outputs, {
    kernelsOf: (node) => makers.get(node) ?? [],
    isStored: (node) => stored.has(node),
  });
  const reports = dispatches.map(({ kernel, parts }, step): KernelReport => {
    const own = parts.map((part) => part.kernel);
    return {
      name: kernel.name,
      invocations: kernel.invocations,
      bindings: kernel.bindings.length,
      source: printWgsl(kernel),
      // Slabs are bound whole; what is touched of them is what the parts bind.
      readBytes: sum(own.map((part) => boundBytes(part, "read"))),
      writtenBytes: sum(own.map((part) => boundBytes(part, "write"))),
      operations: sum(own.map(countOperations)),
      outputs: parts.flatMap((part) => part.outputs).map(after.idOf),
      ms: ms[step] ?? null,
    };
  });
  const graph = { before: reportGraph(asked).report, after: after.report };
  return { graph, kernels: reports, scratchBytes };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Bytes of the arrays that `kernel` reads, or writes: one for both counts for each. */
function boundBytes({ bindings }: Kernel, how: "read" | "write"): number {
  const touched = bindings.filter(({ access }) => access === how || access === "readWrite");
  return touched.reduce((sum, { type, length }) => sum + bytesOfArray(type, length), 0);
}

/** For each node, the kernels that compute it: those that store it, and those that compute it again inside of them. */
function makersOf(dispatches: readonly (readonly LoweredKernel[])[], stored: ReadonlySet<Node>): Map<Node, number[]> {
  const makers = new Map<Node, number[]>();
  for (const [step, parts] of dispatches.entries()) {
    const own = parts.flatMap(({ outputs }) => outputs);
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
