/** Finding nodes of a drawn graph, and ways from one to the next: pure. */
import type { KernelReport } from "hearth";
import type { DrawnGraph } from "./inspect-api.ts";

/** For each node, those that read it, each once. */
export function readersOf({ report }: DrawnGraph): readonly (readonly number[])[] {
  const readers: number[][] = report.nodes.map(() => []);
  for (const { id, inputs } of report.nodes) for (const input of new Set(inputs)) readers[input]?.push(id);
  return readers;
}

/**
 * The nodes that have all words of `query` in their label, shape or dtype, and after them those that have them with the
 * names of their kernels; null for an empty query.
 */
export function foundNodes({ report }: DrawnGraph, kernels: readonly KernelReport[], query: string): number[] | null {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean); // prettier-ignore
  if (words.length === 0) return null;
  const isFound = (text: string): boolean => words.every((word) => text.includes(word));
  const names = kernels.map(({ name }, step) => `kernel ${step} ${name}`.toLowerCase());
  const found: number[] = [];
  const foundByKernel: number[] = [];
  for (const { id, label, shape, dtype, kernels: steps } of report.nodes) {
    const own = `${label} [${shape.join(", ")}] ${dtype} ${shape.join("x")}`.toLowerCase();
    if (isFound(own)) found.push(id);
    else if (isFound([own, ...steps.map((step) => names[step] ?? "")].join(" "))) foundByKernel.push(id);
  }
  return [...found, ...foundByKernel];
}

/** The next node above or below `node` in its layer; itself at the end. */
export function beside({ layout }: DrawnGraph, node: number, way: "up" | "down"): number {
  const [x, y] = [layout.x[node], layout.y[node] ?? 0];
  let [next, least] = [node, Infinity];
  for (const [id, at] of layout.y.entries()) {
    const far = way === "down" ? at - y : y - at;
    if (layout.x[id] === x && far > 0 && far < least) [next, least] = [id, far];
  }
  return next;
}
