/** A library under measurement, on its own device, and how it is opened by name. */
import type { Programs } from "../cases/problem.ts";

export interface Library {
  readonly programs: Programs;
  /** Resolves when its device is gone: what it times afterwards is nothing. */
  readonly lost: Promise<unknown>;
}

/** Ours, by the name that the page and the process know it by. */
export const OURS = "hearth";

/** What people would compare with. */
export const PEERS: readonly string[] = ["jax-js", "tfjs"];
