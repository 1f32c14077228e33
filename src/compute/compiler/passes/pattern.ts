/**
 * A small language of patterns over nodes: what a node is, what its inputs are, and names for what a rewrite needs.
 *
 * `on("binary", { fn: "add", as: "sum" }, any("x"), constantOf("c"))` matches x + c and gives { sum, x, c }. A name that
 * occurs twice stands for one and the same node.
 */
import { constantValue } from "../fold.ts";
import type { Node, Primitive } from "../ir.ts";

type Kind = Primitive["kind"];
type PrimitiveOf<K extends Kind> = Extract<Primitive, { readonly kind: K }>;
type FunctionOf<K extends Kind> = PrimitiveOf<K> extends { readonly fn: infer F extends string } ? F : never;

/** A node whose primitive is known. */
export type NodeOf<K extends Kind> = Node & { readonly primitive: PrimitiveOf<K> };

/** Nodes by the names that a pattern gives them. */
export type Captures = Readonly<Record<string, Node>>;

/** What can be asked about the graph around a node. */
export interface Surroundings {
  /** True where one node alone reads `node`, as far as is known, and it is no output. */
  isReadOnce(node: Node): boolean;
  /** True for a node that is an output: it will be in memory, and reading it is a load. */
  isOutput(node: Node): boolean;
}

export interface Pattern<C extends Captures = Captures> {
  /** False where the primitives of `node` and of its inputs alone rule a match out: what rules are looked up by. */
  fits(node: Node): boolean;
  /** `fits` for one who sees `node` as an input: its own primitive alone. */
  fitsInput(node: Node): boolean;
  /** What it captures, besides what was `found` before; undefined where it does not match. */
  match(node: Node, found: Captures, around: Surroundings): Captures | undefined;
  /** Only a type: patterns have no such property. */
  readonly captured?: C;
}

type Named<Name extends string, N extends Node> = string extends Name ? Captures : { readonly [K in Name]: N };
type AllOf<P extends readonly Pattern[]> = P extends readonly [Pattern<infer C>, ...infer Rest extends Pattern[]]
  ? C & AllOf<Rest>
  : Captures;

/** Equal for nodes that the same patterns fit: by the primitives of a node and of its inputs. */
export function signatureOf(node: Node): number {
  let signature = codeOf(node);
  for (const input of node.inputs) signature = signature * CODES_MAX + codeOf(input);
  return signature;
}

/** More than there are kinds and functions; four of them make a number that is still exact. */
const CODES_MAX = 128;
const codes = new Map<string, Map<string, number>>();
let codeCount = 0;

function codeOf({ primitive }: Node): number {
  const fn = "fn" in primitive ? primitive.fn : "";
  let ofKind = codes.get(primitive.kind);
  if (ofKind === undefined) codes.set(primitive.kind, (ofKind = new Map()));
  let code = ofKind.get(fn);
  if (code === undefined) ofKind.set(fn, (code = ++codeCount));
  return code;
}

const ALWAYS = (): boolean => true;

function capture(name: string | undefined, node: Node, found: Captures): Captures | undefined {
  if (name === undefined) return found;
  const before = found[name];
  if (before === undefined) return { ...found, [name]: node };
  return before === node ? found : undefined;
}

/** Any node. */
export function any<const Name extends string = string>(name?: Name): Pattern<Named<Name, Node>> {
  return { fits: ALWAYS, fitsInput: ALWAYS, match: (node, found) => capture(name, node, found) };
}

/** A constant; `test` sees its value. */
export function constantOf<const Name extends string = string>(
  name?: Name,
  test: (value: number) => boolean = () => true,
): Pattern<Named<Name, NodeOf<"constant">>> {
  const isConstant = (node: Node): boolean => node.primitive.kind === "constant";
  return {
    fits: isConstant,
    fitsInput: isConstant,
    match: (node, found) => {
      const value = constantValue(node);
      return value !== undefined && test(value) ? capture(name, node, found) : undefined;
    },
  };
}

/** What besides its kind a node has to be. */
export interface Conditions<K extends Kind, Name extends string> {
  readonly as?: Name;
  readonly fn?: FunctionOf<K> | readonly FunctionOf<K>[];
  readonly where?: (node: NodeOf<K>) => boolean;
  /** Only where nobody else reads it: rewriting it then computes nothing twice. */
  readonly isReadOnce?: boolean;
  /** Only where it is no output: looking through one computes again what will be in memory. */
  readonly isOutput?: false;
}

/** A node of a kind, under conditions, with inputs as given; without any, whatever they are. */
export function on<K extends Kind, const Name extends string = string, const Inputs extends readonly Pattern[] = []>(
  kind: K,
  { as, fn, where = () => true, isReadOnce = false, isOutput }: Conditions<K, Name>,
  ...inputs: Inputs
): Pattern<Named<Name, NodeOf<K>> & AllOf<Inputs>> {
  const functions: readonly string[] | undefined = typeof fn === "string" ? [fn] : fn;
  const fitsInput = (node: Node): node is NodeOf<K> => {
    const { primitive } = node;
    if (primitive.kind !== kind) return false;
    return functions === undefined || ("fn" in primitive && functions.includes(primitive.fn));
  };
  return {
    fits: (node) => fitsInput(node) && inputs.every((input, i) => fitsAt(input, node.inputs[i])),
    fitsInput,
    match: (node, found, around) => {
      if (!fitsInput(node) || !where(node)) return undefined;
      const all = matchInputs(node.inputs, inputs, found, around);
      if (all === undefined || (isReadOnce && !around.isReadOnce(node))) return undefined;
      if (isOutput === false && around.isOutput(node)) return undefined;
      return capture(as, node, all);
    },
  };
}

function fitsAt(pattern: Pattern, node: Node | undefined): boolean {
  return node !== undefined && pattern.fitsInput(node);
}

function matchInputs(
  nodes: readonly Node[],
  patterns: readonly Pattern[],
  found: Captures,
  around: Surroundings,
): Captures | undefined {
  let all = found;
  for (let i = 0; i < patterns.length; i++) {
    const node = nodes[i];
    const more = node && patterns[i]?.match(node, all, around);
    if (more === undefined) return undefined;
    all = more;
  }
  return all;
}

/** `fn` of two operands, in either order. */
export function commuted<const A extends Pattern, const B extends Pattern, const Name extends string = string>(
  conditions: Conditions<"binary", Name>,
  a: A,
  b: B,
): Pattern<Named<Name, NodeOf<"binary">> & AllOf<[A, B]>> {
  const orders = [on("binary", conditions, a, b), on("binary", conditions, b, a)] as const;
  return {
    fits: (node) => orders[0].fits(node) || orders[1].fits(node),
    fitsInput: (node) => orders[0].fitsInput(node),
    match: (node, found, around) => orders[0].match(node, found, around) ?? orders[1].match(node, found, around),
  };
}

/** One line of a table: what it is called, what it matches, and what takes its place. */
export interface Rule {
  readonly name: string;
  /** How floats may come out otherwise; undefined where they are the same to the bit, but for the sign of a zero. */
  readonly rounding: string | undefined;
  /** As a pattern's. */
  fits(node: Node): boolean;
  /** What takes the place of `node`; undefined where the rule does not apply. */
  apply(node: Node, around: Surroundings): Node | undefined;
}

export interface RuleDefinition<C extends Captures> {
  /** What holds: "x + 0 is x". */
  readonly name: string;
  readonly pattern: Pattern<C>;
  readonly rounding?: string;
  /** Another node of the same value, shape and dtype; undefined where there is none. */
  rewrite(found: C, around: Surroundings): Node | undefined;
}

/** A rule of its parts. */
export function rule<C extends Captures>({ name, pattern, rounding, rewrite }: RuleDefinition<C>): Rule {
  return {
    name,
    rounding,
    fits: (node) => pattern.fits(node),
    apply: (node, around) => {
      const found = pattern.match(node, {}, around);
      return found && rewrite(found as C, around);
    },
  };
}
