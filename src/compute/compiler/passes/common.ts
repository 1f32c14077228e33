/**
 * Nodes that compute the same are one. Operands of commutative functions count in either order; leaves are told apart by
 * identity, barriers by their ids.
 *
 * Elementwise nodes count as the same when they hold the same elements in row-major order, whatever their shapes: the
 * later one is a reshape of the earlier. So it does not matter on which side of a reshape something was computed.
 */
import { elementCount, sameShape } from "../../layout/shape.ts";
import { reshape } from "../graph.ts";
import type { Node } from "../ir.ts";

const COMMUTATIVE: ReadonlySet<string> = new Set(["add", "multiply", "minimum", "maximum", "equal", "notEqual", "and", "or"]); // prettier-ignore

/** Numbers of a value: its own, and one that those with the same elements in row-major order share. */
export interface Numbered {
  readonly id: number;
  readonly line: number;
}

/** The nodes of one graph, each value once. */
export class Values {
  readonly #byKey = new Map<string, Node>();

  /** The node that stands for `node`'s value: an earlier one, a reshape of an earlier one, or `node` itself. */
  canonical(node: Node, inputs: readonly Numbered[]): Node {
    if (node.primitive.kind === "buffer") return node;
    const key = keyOf(node, inputs);
    const same = this.#byKey.get(key);
    if (same === undefined) {
      this.#byKey.set(key, node);
      return node;
    }
    return sameShape(same.shape, node.shape) ? same : reshape(same, node.shape);
  }
}

function keyOf(node: Node, inputs: readonly Numbered[]): string {
  const { primitive, shape, dtype } = node;
  switch (primitive.kind) {
    case "unary":
    case "cast":
    case "bitcast":
    case "select":
      return `${nameOf(node)} ${dtype} ${elementCount(shape)} ${inputs.map(lineOf).join()}`;
    case "binary": {
      const lines = inputs.map(lineOf);
      if (COMMUTATIVE.has(primitive.fn)) lines.sort((a, b) => a - b);
      return `${primitive.fn} ${elementCount(shape)} ${lines.join()}`;
    }
    case "constant":
      return `${textOf(primitive.value)} ${dtype} ${shape.join()}`;
    case "reshape":
    case "expand":
    case "contraction":
      return `${primitive.kind} ${shape.join()} ${inputs.map(idOf).join()}`;
    default: {
      const value = "value" in primitive ? textOf(primitive.value) : "";
      return `${Object.values(primitive).join(";")} ${value} ${shape.join()} ${inputs.map(idOf).join()}`;
    }
  }
}

function nameOf({ primitive }: Node): string {
  return "fn" in primitive ? primitive.fn : primitive.kind;
}

function idOf({ id }: Numbered): number {
  return id;
}

function lineOf({ line }: Numbered): number {
  return line;
}

/** A zero has a sign, which strings leave out. */
function textOf(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}
