/** One step of each kind of recurrence, from the products of its input and its state. */
import { present } from "../../base/assert.ts";
import type { Tensor } from "../../compute/tensor/tensor.ts";

/** What a recurrence carries from one step to the next, each [N, width]. */
export interface RecurrentState {
  readonly hidden: Tensor;
  /** LSTM alone has one. */
  readonly cell?: Tensor;
}

/**
 * What the gates add up: `input` = x W_ih^T + b_ih and `state` = h W_hh^T + b_hh, both [N, gates * hiddenSize].
 */
export type RecurrentStep = (input: Tensor, state: Tensor, before: RecurrentState) => RecurrentState;

/** h' = tanh or relu of input + state. */
export function rnnStep(nonlinearity: "tanh" | "relu"): RecurrentStep {
  return (input, state) => ({ hidden: nonlinearity === "tanh" ? input.add(state).tanh() : input.add(state).relu() });
}

/** With r, z, n in a row: r and z = sigmoid(input + state), n = tanh(input + r * state), h' = (1 - z) n + z h (Cho et al., 2014). */
export const gruStep: RecurrentStep = (input, state, { hidden }) => {
  const [ri, zi, ni] = gatesOf(input, 3);
  const [rs, zs, ns] = gatesOf(state, 3);
  const r = present(ri, "r").add(present(rs, "r")).sigmoid();
  const z = present(zi, "z").add(present(zs, "z")).sigmoid();
  const n = present(ni, "n")
    .add(r.mul(present(ns, "n")))
    .tanh();
  return { hidden: n.add(z.mul(hidden.sub(n))) };
};

/** With i, f, g, o in a row: c' = sigmoid(f) c + sigmoid(i) tanh(g), h' = sigmoid(o) tanh(c') (Hochreiter and Schmidhuber, 1997). */
export const lstmStep: RecurrentStep = (input, state, before) => {
  const [i, f, g, o] = gatesOf(input.add(state), 4);
  const kept = present(f, "f").sigmoid().mul(present(before.cell, "a cell"));
  const cell = kept.add(present(i, "i").sigmoid().mul(present(g, "g").tanh()));
  return { hidden: present(o, "o").sigmoid().mul(cell.tanh()), cell };
};

function gatesOf(x: Tensor, count: number): Tensor[] {
  return x.chunk(count, -1);
}
