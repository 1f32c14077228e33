/**
 * Applies a table of rules to a graph until none applies, and makes nodes of equal value one on the way.
 *
 * Nodes are settled inputs first, by a stack of its own: graphs may be thousands of nodes deep. A node that a rule gives
 * is settled like any other. So what is left is a fixed point, and the cost is that of looking at each node once and at
 * each replacement once; rules are looked up by the primitives of a node and of its inputs.
 */
import { present } from "../../../base/assert.ts";
import { InvariantError } from "../../../base/errors.ts";
import { sameShape } from "../../layout/shape.ts";
import { remake } from "../graph.ts";
import { readInputs, type Node } from "../ir.ts";
import { describeNode, inTopologicalOrder, type Rewritten } from "../walk-graph.ts";
import { Values, type Numbered } from "./common.ts";
import { signatureOf, type Rule, type Surroundings } from "./pattern.ts";

/** A table that has not come to an end after so many applications for each node is taken to have none. */
const APPLICATIONS_PER_NODE = 20;
const APPLICATIONS_LEAST = 1000;

/** What a table made of a graph. */
export interface Applied extends Rewritten {
  /** True when some rule did not apply to a node that had several readers, and has one now. */
  readonly mayGoOn: boolean;
}

/**
 * The graph of `outputs` under `table`.
 * @throws InvariantError that names the rules where they never end, change what a node is, or go in a circle
 */
export function applyTable(
  pass: string,
  table: readonly Rule[],
  outputs: readonly Node[],
  { order = inTopologicalOrder(outputs), isNormal = () => false }: Known = {},
): Applied {
  return new Application(pass, table, outputs, isNormal).run(order);
}

/** What the caller knows of the graph. */
export interface Known {
  /** All nodes of `outputs`, inputs first. */
  readonly order?: readonly Node[];
  /** True for nodes to which no rule applies and that are equal to no other: while their inputs stay, so do they. */
  readonly isNormal?: (node: Node) => boolean;
}

/** What is known of a node on its way. */
interface State extends Numbered {
  readonly node: Node;
  readonly inputs: readonly State[];
  /** The end of the way. */
  end: State | undefined;
  /** The step after this one, and the rule that took it. */
  next: State | undefined;
  by: string | undefined;
  /** True while the walk is beneath it. */
  isOpen: boolean;
  isOutput: boolean;
  readers: number;
}

class Application implements Surroundings {
  readonly #pass: string;
  readonly #table: readonly Rule[];
  readonly #outputs: readonly Node[];
  readonly #isNormal: (node: Node) => boolean;
  readonly #states = new Map<Node, State>();
  readonly #rules = new Map<number, readonly Rule[]>();
  readonly #values = new Values();
  /** Nodes that rules left alone because others read them too. */
  readonly #shared = new Set<Node>();
  readonly #counts = new Map<string, number>();
  #applications = 0;
  #applicationsMax = 0;

  constructor(pass: string, table: readonly Rule[], outputs: readonly Node[], isNormal: (node: Node) => boolean) {
    this.#pass = pass;
    this.#table = table;
    this.#outputs = outputs;
    this.#isNormal = isNormal;
  }

  run(order: readonly Node[]): Applied {
    const states = order.map((node) => this.#stateOf(node));
    for (const { node, inputs } of states) {
      const read = readInputs(node).length;
      for (let i = 0; i < read; i++) {
        const input = inputs[i];
        if (input !== undefined && inputs.indexOf(input) === i) input.readers += 1;
      }
    }
    for (const output of this.#outputs) {
      const state = this.#stateOf(output);
      state.readers += 1;
      state.isOutput = true;
    }
    this.#applicationsMax = APPLICATIONS_LEAST + APPLICATIONS_PER_NODE * order.length;
    for (const state of states) this.#settle(state);
    const became = (node: Node): Node | undefined => this.#states.get(node)?.end?.node;
    const outputs = this.#outputs.map((node) => present(became(node), "applyTable: an output"));
    return { outputs, became, mayGoOn: this.#mayGoOn(outputs) };
  }

  isReadOnce(node: Node): boolean {
    // Nodes that rules make are read by those whom they are made for.
    const isOnce = (this.#states.get(node)?.readers ?? 1) <= 1;
    if (!isOnce) this.#shared.add(node);
    return isOnce;
  }

  isOutput(node: Node): boolean {
    return this.#states.get(node)?.isOutput ?? false;
  }

  #mayGoOn(outputs: readonly Node[]): boolean {
    if (this.#shared.size === 0 || this.#applications === 0) return false;
    const again = new Map<Node, number>();
    const count = (node: Node): void => {
      if (this.#shared.has(node)) again.set(node, (again.get(node) ?? 0) + 1);
    };
    for (const node of inTopologicalOrder(outputs)) new Set(readInputs(node)).forEach(count);
    outputs.forEach(count);
    return [...again.values()].includes(1);
  }

  #stateOf(node: Node): State {
    const known = this.#states.get(node);
    if (known !== undefined) return known;
    // Inputs first, without recursion: rules make few nodes at once, and a graph comes in order.
    const inputs = node.inputs.map((input) => this.#stateOf(input));
    const id = this.#states.size;
    const state: State = {
      node,
      inputs,
      id,
      line: node.primitive.kind === "reshape" ? (inputs[0]?.line ?? id) : id,
      end: undefined,
      next: undefined,
      by: undefined,
      isOpen: false,
      isOutput: false,
      readers: 0,
    };
    this.#states.set(node, state);
    return state;
  }

  #settle(root: State): void {
    const stack = [root];
    for (let state = stack.at(-1); state !== undefined; state = stack.at(-1)) {
      if (state.end !== undefined) {
        stack.pop();
        continue;
      }
      state.isOpen = true;
      const { next } = state;
      const { length } = stack;
      if (next === undefined) for (const input of state.inputs) this.#wait(state, input, stack);
      else this.#wait(state, next, stack);
      if (stack.length > length) continue;
      const end = next === undefined ? this.#step(state) : next.end;
      if (end === undefined) continue;
      state.end = end;
      state.isOpen = false;
      if (end === state) continue;
      end.readers += state.readers;
      end.isOutput ||= state.isOutput;
    }
  }

  /** Has `before` settled before `state`. */
  #wait(state: State, before: State, stack: State[]): void {
    if (before.end !== undefined) return;
    if (before.isOpen) this.#failInCircle(state, before);
    stack.push(before);
  }

  /** `state` itself where nothing more can be done; undefined when there is a next step. */
  #step(state: State): State | undefined {
    const { node, inputs } = state;
    if (inputs.some((input) => input.end !== input)) {
      const ends = inputs.map((input) => input.end?.node ?? input.node);
      // A constructor looks at the kinds of its inputs: where they stay, there is nothing for it to do.
      const isAlike = ends.every((end, i) => end.primitive.kind === node.inputs[i]?.primitive.kind);
      state.next = this.#stateOf(isAlike ? { ...node, inputs: ends } : remake(node, ends));
      return undefined;
    }
    if (this.#isNormal(node)) return state;
    for (const rule of this.#rulesFor(node)) {
      const replacement = rule.apply(node, this);
      if (replacement === undefined) continue;
      this.#note(rule, node, replacement);
      state.next = this.#stateOf(replacement);
      state.by = rule.name;
      return undefined;
    }
    const canonical = this.#values.canonical(node, inputs);
    if (canonical === node) return state;
    state.next = this.#stateOf(canonical);
    return state.next.end;
  }

  #rulesFor(node: Node): readonly Rule[] {
    const signature = signatureOf(node);
    let rules = this.#rules.get(signature);
    if (rules === undefined) {
      rules = this.#table.filter((rule) => rule.fits(node));
      this.#rules.set(signature, rules);
    }
    return rules;
  }

  #note({ name }: Rule, node: Node, replacement: Node): void {
    const fits = sameShape(node.shape, replacement.shape) && node.dtype === replacement.dtype;
    if (!fits || replacement === node) {
      const made = replacement === node ? "the same" : describeNode(replacement);
      throw new InvariantError(`${this.#pass}: the rule "${name}" made ${made} of ${describeNode(node)}`);
    }
    this.#applications += 1;
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
    if (this.#applications <= this.#applicationsMax) return;
    const often = [...this.#counts].sort((a, b) => b[1] - a[1]).slice(0, 4);
    const names = often.map(([rule, count]) => `"${rule}" (${count} times)`).join(", ");
    throw new InvariantError(`${this.#pass}: expected rules that come to an end, found ${names}`);
  }

  #failInCircle({ node, by }: State, input: State): never {
    const names = [by, input.by].filter((name) => name !== undefined).map((name) => `"${name}"`);
    const rules = names.length > 0 ? `, made by ${names.join(" and ")}` : "";
    const found = `${describeNode(node)} computed from itself${rules}`;
    throw new InvariantError(`${this.#pass}: expected no circles, found ${found}`);
  }
}
