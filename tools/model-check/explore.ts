/** Visits every state that can be reached, each once. */
import { feed } from "./carry-out.ts";
import { connected, newborn, successors } from "./actions.ts";
import type { Budget, Identity, Model } from "./model.ts";
import { keyOf } from "./model-key.ts";
import { OptionError } from "../../src/base/errors.ts";
import { Random } from "../../src/base/random.ts";
import { initialState, replay } from "../../src/training/coordinator/state.ts";

export interface ExploreOptions extends Identity {
  readonly budget: Budget;
  readonly steps: number;
  /** Attempts to form a group; what would come after the last is not looked at. */
  readonly epochsMax: number;
  /** Gives up after so many states. */
  readonly statesMax: number;
  /** Breadth first finds the shortest way to a violation, depth first needs less memory. */
  readonly order: "breadth" | "depth";
  readonly onProgress?: (states: number) => void;
}

export interface Exploration {
  readonly states: number;
  readonly transitions: number;
  /** True when nothing that can be reached within the bound was left out. */
  readonly isComplete: boolean;
  readonly violation: { readonly what: string; readonly actions: readonly string[] } | null;
}

interface Node {
  readonly model: Model;
  readonly action: string;
  readonly parent: Node | null;
}

const PEERS = ["a", "b", "c"];

/** Three members connected, the run about to begin. */
function start({ budget, steps }: ExploreOptions): Model {
  const spec = { run: "model", seed: 1, steps, checkpointEvery: 1_000, startWith: 3, data: null, settings: {} };
  const coordinator = replay(initialState(), { kind: "room", room: "room", spec });
  const members = PEERS.map(newborn);
  const empty: Model = { nowMs: 1_000_000, coordinator, members, budget, truth: "g", conns: 0, violation: null };
  return PEERS.reduce(
    (model, _, at) => connected(model, at),
    feed(empty, { kind: "start", wallMs: empty.nowMs }).model,
  );
}

export function explore(options: ExploreOptions): Exploration {
  const seen = new Set<number>();
  let frontier: Node[] = [{ model: start(options), action: "start", parent: null }];
  let [transitions, at] = [0, 0];
  const take = (): Node | undefined => {
    if (options.order === "depth") return frontier.pop();
    if (at > 50_000) [frontier, at] = [frontier.slice(at), 0];
    return frontier[at++];
  };
  for (let node = take(); node; node = take()) {
    if (node.model.coordinator.durable.epoch > options.epochsMax) continue;
    for (const { action, model } of successors(node.model, options)) {
      transitions += 1;
      const next: Node = { model, action, parent: node };
      if (model.violation) return { states: seen.size, transitions, isComplete: false, violation: told(next) };
      const key = keyOf(model);
      if (seen.has(key)) continue;
      seen.add(key);
      if (seen.size % 100_000 === 0) options.onProgress?.(seen.size);
      if (seen.size >= options.statesMax) return { states: seen.size, transitions, isComplete: false, violation: null };
      frontier.push(next);
    }
  }
  return { states: seen.size, transitions, isComplete: true, violation: null };
}

/** Random ways through the states, for what lies too deep to find in order. Stops at the first violation. */
export function wander(options: ExploreOptions, walks: number, seed: number): Exploration {
  const random = new Random(seed, "wander");
  const first = start(options);
  let transitions = 0;
  for (let walk = 0; walk < walks; walk++) {
    let node: Node = { model: first, action: "start", parent: null };
    while (node.model.coordinator.durable.epoch <= options.epochsMax) {
      const next = successors(node.model, options);
      transitions += next.length;
      const chosen = next.length > 0 ? random.pick(next) : undefined;
      if (!chosen) break;
      node = { ...chosen, parent: node };
      if (chosen.model.violation) return { states: walk, transitions, isComplete: false, violation: told(node) };
    }
  }
  return { states: walks, transitions, isComplete: false, violation: null };
}

/** What holds no more after `actions`, each of which must be possible in its turn; null where all does. */
export function follow(options: ExploreOptions, actions: readonly string[]): string | null {
  let model = start(options);
  for (const action of actions) {
    const next = successors(model, options).find((successor) => successor.action === action);
    if (!next) throw new OptionError(`follow: expected "${action}" to be possible, found that it is not`);
    model = next.model;
    if (model.violation) return model.violation;
  }
  return null;
}

function told(node: Node): { what: string; actions: string[] } {
  const actions: string[] = [];
  for (let at: Node | null = node; at; at = at.parent) actions.unshift(at.action);
  return { what: node.model.violation ?? "", actions };
}
