/**
 * What every pass has to keep, as a table: checked between passes, in production too. It costs about a fifth of all
 * (2 ms for char-GPT's step): ops' graphs are sound by construction, and so only nodes that a pass made are derived again.
 *
 * A pass says what each node became. So it can be told what was lost from what nobody needs any more.
 */
import { describeError, InvariantError } from "../../../base/errors.ts";
import { sameShape } from "../../layout/shape.ts";
import { storedValue } from "../fold.ts";
import { inferNode } from "../infer.ts";
import type { Node, Primitive } from "../ir.ts";
import { describeNode, inTopologicalOrder, type Rewritten } from "../walk-graph.ts";

type Kind = Primitive["kind"];

/** A graph before and after a pass. */
interface Step extends Rewritten {
  readonly before: readonly Node[];
  /** The nodes of these kinds that nodes of the graph before became. */
  readonly known: ReadonlySet<Node>;
}

/** What holds, and how to see that it does not: each gives what is wrong, and with which node. */
interface Check {
  readonly name: string;
  /** The nodes that it is about; all by default. */
  readonly kinds?: readonly Kind[];
  /** Of a node before, and of what it became. */
  readonly ofOld?: (node: Node, now: Node, step: Step) => string | undefined;
  /** Of a node after. */
  readonly ofNew?: (node: Node, step: Step) => string | undefined;
  readonly ofOutputs?: (step: Step) => string | undefined;
}

/** Nodes that are no values to compute with, but things: none may be exchanged, lost or invented. */
const THINGS: readonly Kind[] = ["buffer", "random", "barrier"];

/** What a pass keeps. */
const LEGALITY: readonly Check[] = [
  {
    name: "shapes, dtypes, axes and ranges follow from the inputs",
    ofNew: (node, { became }) => (became(node) === undefined ? unsoundness(node) : undefined),
  },
  {
    name: "constants are what their dtype holds",
    kinds: ["constant", "pad"],
    ofNew: (node) => {
      const { primitive } = node;
      if (!("value" in primitive) || isHeld(primitive.value, node)) return undefined;
      return `${primitive.value} in ${describeNode(node)}`;
    },
  },
  {
    name: "a node becomes one of its shape and dtype",
    ofOld: (node, now) => (isLike(node, now) ? undefined : `${describeNode(now)} for ${describeNode(node)}`),
  },
  {
    name: "outputs keep their count and order",
    ofOutputs: ({ before, outputs, became }) => {
      if (outputs.length !== before.length) return `${outputs.length} outputs for ${before.length}`;
      const i = before.findIndex((node, place) => outputs[place] !== became(node));
      const [old, now] = [before[i], outputs[i]];
      return old && now && `${describeNode(now)} as output ${i}, for ${describeNode(old)}`;
    },
  },
  {
    name: "leaves stay themselves",
    kinds: ["buffer"],
    ofOld: (node, now) => (now === node ? undefined : `${describeNode(now)} for ${describeNode(node)}`),
  },
  {
    name: "random numbers keep their keys and places",
    kinds: ["random"],
    ofOld: (node, now, { became }) => {
      const [key] = node.inputs;
      const isSame = now.primitive.kind === "random" && node.primitive.kind === "random" && now.primitive.distribution === node.primitive.distribution; // prettier-ignore
      return isSame && key && now.inputs[0] === became(key) ? undefined : `others for ${describeNode(node)}`;
    },
  },
  {
    name: "barriers stay, between what they were between",
    kinds: ["barrier"],
    ofOld: (node, now, { became }) => {
      const isSame = now.primitive.kind === "barrier" && node.primitive.kind === "barrier" && now.primitive.id === node.primitive.id; // prettier-ignore
      const keepsInputs = node.inputs.every((input, i) => now.inputs[i] === became(input));
      return isSame && keepsInputs ? undefined : `${describeNode(now)} for ${describeNode(node)}`;
    },
  },
  {
    name: "no leaf, random number or barrier comes in",
    kinds: THINGS,
    ofNew: (node, { known }) => (known.has(node) ? undefined : `${describeNode(node)}, which no node became`),
  },
];

function isLike(a: Node, b: Node): boolean {
  return a === b || (a.dtype === b.dtype && sameShape(a.shape, b.shape));
}

/** What the node should be, by its inputs. */
function unsoundness(node: Node): string | undefined {
  try {
    const { shape, dtype } = inferNode(node.primitive, node.inputs, node);
    const inferred = { ...node, shape, dtype };
    return isLike(node, inferred)
      ? undefined
      : `${describeNode(node)}, which is ${describeNode(inferred)} by its inputs`;
  } catch (error) {
    return `${describeNode(node)}: ${describeError(error)}`;
  }
}

function isHeld(value: number, { dtype }: Node): boolean {
  try {
    return Object.is(storedValue(value, dtype), value);
  } catch {
    return false;
  }
}

const checksByKind = new Map<Kind, readonly Check[]>();

function checksOf({ primitive: { kind } }: Node): readonly Check[] {
  let checks = checksByKind.get(kind);
  if (checks === undefined) {
    checks = LEGALITY.filter(({ kinds }) => kinds === undefined || kinds.includes(kind));
    checksByKind.set(kind, checks);
  }
  return checks;
}

/**
 * The nodes of the graph after `pass`, inputs first; `orderBefore` has those of the graph before.
 * @throws InvariantError that names the pass, what holds no longer, and the node
 */
export function checkLegality(
  pass: string,
  before: readonly Node[],
  after: Rewritten,
  orderBefore: readonly Node[] = inTopologicalOrder(before),
): Node[] {
  const fail = (what: string, fault: string): never => {
    throw new InvariantError(`after the pass "${pass}": expected that ${what}, found ${fault}`);
  };
  const order = orderOf(after.outputs, fail);
  const known = new Set<Node>();
  const step: Step = { ...after, before, known };
  for (const node of orderBefore) {
    const now = after.became(node) ?? fail("nodes become others", `nothing for ${describeNode(node)}`);
    if (THINGS.includes(node.primitive.kind)) known.add(now);
    for (const { name, ofOld } of checksOf(node)) {
      const fault = ofOld?.(node, now, step);
      if (fault !== undefined) fail(name, fault);
    }
  }
  for (const node of order) {
    for (const { name, ofNew } of checksOf(node)) {
      const fault = ofNew?.(node, step);
      if (fault !== undefined) fail(name, fault);
    }
  }
  for (const { name, ofOutputs } of LEGALITY) {
    const fault = ofOutputs?.(step);
    if (fault !== undefined) fail(name, fault);
  }
  return order;
}

function orderOf(outputs: readonly Node[], fail: (what: string, fault: string) => never): Node[] {
  try {
    return inTopologicalOrder(outputs);
  } catch (error) {
    return fail("graphs have no circles", describeError(error));
  }
}
