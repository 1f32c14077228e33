/** A library under measurement, on its own device, and how it is opened by name. */
import type { Programs } from "../cases/problem.ts";

export interface Library {
  readonly programs: Programs;
  /** Resolves when its device is gone: what it times afterwards is nothing. */
  readonly lost: Promise<unknown>;
}

/** Ours, by the name that the page and the process know it by. */
export const OURS = "hearth";

/** What people would compare with, on the backend of the environment. */
export const PEERS: readonly string[] = ["jax-js", "tfjs"];

/** The backends of peers. */
export type PeerBackend = "wasm" | "webgpu" | "webgl" | "cpu";

/** The same on each of their backends, but for jax-js's interpreter: a step of `mlp` takes it 20 s. */
export const PEERS_ON_BACKENDS: readonly string[] = [
  ...(["wasm", "webgpu", "webgl"] satisfies PeerBackend[]).map((backend) => `jax-js on ${backend}`),
  ...(["wasm", "webgpu", "webgl", "cpu"] satisfies PeerBackend[]).map((backend) => `tfjs on ${backend}`),
];
