/** Finding nodes of a drawn graph, and ways from one to the next: pure. */
import type { DrawnGraph } from "./inspect-api.ts";

/** For each node, those that read it, each once. */
export function readersOf({ report }: DrawnGraph): readonly (readonly number[])[] {
  const readers: number[][] = report.nodes.map(() => []);
  for (const { id, inputs } of report.nodes) for (const input of new Set(inputs)) readers[input]?.push(id);
  return readers;
}

/**
 * The nodes that have all words of `query` in their label, shape, dtype or kernels ("kernel 12"), those that have them as
 * whole words first: "exp" ahead of "expand". Null for an empty query.
 */
export function foundNodes({ report }: DrawnGraph, query: string): number[] | null {
  const words = query.toLowerCase().split(/[\s,[\]]+/).filter(Boolean); // prettier-ignore
  if (words.length === 0) return null;
  const whole: number[] = [];
  const within: number[] = [];
  for (const { id, label, shape, dtype, kernels } of report.nodes) {
    const own = [
      ...label.split(" "),
      ...shape,
      shape.join("x"),
      dtype,
      ...(kernels.length > 0 ? ["kernel"] : []),
      ...kernels,
    ];
    const texts = own.map((text) => String(text).toLowerCase());
    if (words.every((word) => texts.includes(word))) whole.push(id);
    else if (words.every((word) => texts.some((text) => text.includes(word)))) within.push(id);
  }
  return [...whole, ...within];
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
