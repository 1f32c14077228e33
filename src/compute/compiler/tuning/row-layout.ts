/** How the rows of a reduction lie in memory, seen through what is computed on the way. */
import { present } from "../../../base/assert.ts";
import { i32 } from "../../lang/build.ts";
import { flatten, type Index } from "../../kernels/grid.ts";
import { lastAxisOf, type RowSpace } from "../../kernels/rows/row-space.ts";
import { elementCount } from "../../layout/shape.ts";
import { readInputs, type Node } from "../ir.ts";
import { indexBehindView, isView } from "../views.ts";

/** Steps on the way that are looked at. */
const STEPS_MAX = 64;
const FOUR = 4;

export interface RowLayout {
  /** Neighbours in memory belong to neighbouring rows. */
  readonly isAcross: boolean;
  /** Whether neighbours in memory, along or across, come in fours. */
  readonly isInFours: boolean;
}

/**
 * The layout of rows of `x` in `space`, which is in x's shape. Of several arrays behind it the largest counts; found by
 * following three elements to where they are stored, whatever the views do.
 */
export function rowLayout(x: Node, space: RowSpace, isStored: (node: Node) => boolean): RowLayout {
  const [along, across] = [lastAxisOf(space, true), lastAxisOf(space, false)];
  const stepAt = (axis: number | undefined): number | undefined =>
    axis === undefined ? undefined : distanceAlong(x, axis, isStored);
  const [alongStep, acrossStep] = [stepAt(along), stepAt(across)];
  const isAcross = acrossStep !== undefined && acrossStep > 0 && acrossStep < (alongStep ?? Number.POSITIVE_INFINITY);
  const [axis, step] = isAcross ? [across, acrossStep] : [along, alongStep];
  return { isAcross, isInFours: step === 1 && axis !== undefined && (space.shape[axis] ?? 1) % FOUR === 0 };
}

/** How far apart in memory neighbours along `axis` are. */
function distanceAlong(x: Node, axis: number, isStored: (node: Node) => boolean): number {
  interface Pair {
    readonly node: Node;
    readonly a: Index;
    readonly b: Index;
  }
  const indexOf = (at: number): Index => x.shape.map((_, i) => i32(i === axis ? at : 0));
  const stack: Pair[] = [{ node: x, a: indexOf(0), b: indexOf(1) }];
  const seen = new Set<Node>();
  let [largest, distance] = [0, 0];
  for (let pair = stack.pop(); pair !== undefined && seen.size < STEPS_MAX; pair = stack.pop()) {
    const { node, a, b } = pair;
    if (seen.has(node)) continue;
    seen.add(node);
    if (isStored(node)) {
      const found = Math.abs(placeOf(node, b) - placeOf(node, a));
      const size = elementCount(node.shape);
      if (size > largest && found > 0) [largest, distance] = [size, found];
    } else if (isView(node)) {
      const source = present(node.inputs[0], "rowLayout: what a view reads");
      const behind = (index: Index): Index => indexBehindView(node, source.shape, index);
      stack.push({ node: source, a: behind(a), b: behind(b) });
    } else if (ELEMENTWISE.has(node.primitive.kind)) {
      for (const input of readInputs(node)) stack.push({ node: input, a, b });
    }
  }
  return distance;
}

const ELEMENTWISE: ReadonlySet<string> = new Set(["unary", "binary", "select", "cast", "bitcast", "barrier"]);

function placeOf(node: Node, index: Index): number {
  const flat = flatten(index, node.shape);
  return flat.kind === "constant" ? Number(flat.value) : 0;
}
