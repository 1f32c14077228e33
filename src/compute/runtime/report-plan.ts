/** What a plan made of a graph, told as data. All that reports need to know of lowered kernels is in this file. */
import type { Node } from "../compiler/ir.ts";
import { readInputs } from "../compiler/ir.ts";
import type { LoweredKernel } from "../compiler/lower-region.ts";
import { countOperations } from "../lang/count-operations.ts";
import { bytesOfArray } from "../lang/kernel.ts";
import { printWgsl } from "../lang/print-wgsl.ts";
import type { Dispatch } from "./assembly.ts";
import { reportGraph } from "./graph-report.ts";
import type { KernelReport, PlanReport } from "./plan-report.ts";

/** What a report is made of. */
export interface PlanFacts {
  /** The graph as the operations made it: what was asked for. */
  readonly asked: readonly Node[];
  /** The graph that was lowered. */
  readonly outputs: readonly Node[];
  /** Kernels as they are bound, with those that each was made of: one, or several that were packed. */
  readonly dispatches: readonly Pick<Dispatch, "kernel" | "parts">[];
  readonly scratchBytes: number;
  /** Milliseconds of each dispatch; empty before a profile. */
  readonly ms: readonly (number | null)[];
}

/** Of kernels that run at once, as many are named. */
const NAMES_MAX = 3;

/** The report of a plan. Prints every kernel: milliseconds for each. */
export function reportPlan({ asked, outputs, dispatches, scratchBytes, ms }: PlanFacts): PlanReport {
  const stores = dispatches.map(({ parts }) => parts.flatMap((part) => part.outputs));
  const stored = new Set(stores.flat());
  const makers = makersOf(stores, stored);
  const after = reportGraph(outputs, {
    kernelsOf: (node) => makers.get(node) ?? [],
    isStored: (node) => stored.has(node),
  });
  const kernels = dispatches.map(({ kernel, parts }, step): KernelReport => {
    return {
      name: parts.length > 1 ? nameOf(parts) : kernel.name,
      invocations: kernel.invocations,
      bindings: kernel.bindings.length,
      source: printWgsl(kernel),
      ...bytesMoved(parts),
      // Of a packed kernel each invocation runs one part's code.
      operations: parts.reduce((sum, part) => sum + countOperations(part.kernel), 0),
      outputs: (stores[step] ?? []).map(after.idOf),
      ms: ms[step] ?? null,
    };
  });
  const graph = { before: reportGraph(asked).report, after: after.report };
  return { graph, kernels, scratchBytes };
}

/** "29 at once: " and the first few different names: those of all would fill a page. */
function nameOf(parts: readonly LoweredKernel[]): string {
  const names = [...new Set(parts.map(({ kernel }) => kernel.name))];
  return `${parts.length} at once: ${names.slice(0, NAMES_MAX).join(" & ")}${names.length > NAMES_MAX ? " & ..." : ""}`;
}

/** Bytes of the arrays that are read, and of those that are written, each once; one for both counts for each. */
function bytesMoved(parts: readonly LoweredKernel[]): Pick<KernelReport, "readBytes" | "writtenBytes"> {
  const read = new Map<Node, number>();
  const written = new Map<Node, number>();
  for (const { kernel, outputs, inputs } of parts) {
    for (const [i, node] of [...outputs, ...inputs].entries()) {
      const binding = kernel.bindings[i];
      if (binding === undefined) continue;
      const bytes = bytesOfArray(binding.type, binding.length);
      if (binding.access !== "write") read.set(node, bytes);
      if (binding.access !== "read") written.set(node, bytes);
    }
  }
  const sum = (bytes: ReadonlyMap<Node, number>): number => [...bytes.values()].reduce((to, at) => to + at, 0);
  return { readBytes: sum(read), writtenBytes: sum(written) };
}

/** For each node, the dispatches that compute it: those that store it, and those that compute it again inside of them. */
function makersOf(stores: readonly (readonly Node[])[], stored: ReadonlySet<Node>): Map<Node, number[]> {
  const makers = new Map<Node, number[]>();
  const isRead = (node: Node): boolean => node.primitive.kind === "buffer" || stored.has(node);
  for (const [step, own] of stores.entries()) {
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
