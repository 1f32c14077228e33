/**
 * When to restart ICE, as a pure step: a path that broke is looked for anew, again and again, until a deadline; then the
 * connection is given up, and whoever needs the peer finds another way to it.
 *
 * Of two peers the one whose id sorts first makes the offers, so that they never cross; the other one asks for them.
 */

/** Times in milliseconds. */
export interface RestartLimits {
  /** A path that is silent often comes back by itself. */
  readonly graceMs: number;
  /** Between attempts: an offer, gathering and checks far away fit into it. */
  readonly retryMs: number;
  /** From the break to giving up. */
  readonly deadlineMs: number;
}

export const RESTART_LIMITS: RestartLimits = { graceMs: 1_500, retryMs: 4_000, deadlineMs: 30_000 };

export interface RestartState {
  /** Since when nothing passes; null while the path is good. */
  readonly brokenAtMs: number | null;
  /** When to act next. */
  readonly nextAtMs: number;
  /** The last attempt; -Infinity before the first. */
  readonly attemptAtMs: number;
  readonly attempts: number;
  readonly hasGivenUp: boolean;
}

export const STEADY: RestartState = {
  brokenAtMs: null,
  nextAtMs: Infinity,
  attemptAtMs: -Infinity,
  attempts: 0,
  hasGivenUp: false,
};

export type RestartEvent =
  | { readonly kind: "ice"; readonly state: RTCIceConnectionState }
  /** The other side has no path, and may not offer. */
  | { readonly kind: "asked" }
  | { readonly kind: "tick" };

/** `offer`: with new ICE credentials. `ask`: for such an offer. */
export type RestartEffect = "offer" | "ask" | "give-up";

export interface RestartStep {
  readonly state: RestartState;
  readonly effects: readonly RestartEffect[];
  /** When a tick is due; Infinity for never. */
  readonly wakeAtMs: number;
}

export function restartStep(
  state: RestartState,
  event: RestartEvent,
  nowMs: number,
  isOfferer: boolean,
  limits: RestartLimits,
): RestartStep {
  if (state.hasGivenUp) return { state, effects: [], wakeAtMs: Infinity };
  switch (event.kind) {
    case "ice":
      return act(afterIce(state, event.state, nowMs, limits), nowMs, isOfferer, limits);
    case "asked": {
      // Both notice a break at about the same time: one offer is enough.
      const isDue = isOfferer && nowMs - state.attemptAtMs >= limits.retryMs;
      if (!isDue) return act(state, nowMs, isOfferer, limits);
      const next = attempted(state, nowMs, limits);
      return { state: next, effects: ["offer"], wakeAtMs: wakeAt(next, limits) };
    }
    case "tick":
      return act(state, nowMs, isOfferer, limits);
  }
}

function afterIce(state: RestartState, ice: RTCIceConnectionState, nowMs: number, limits: RestartLimits): RestartState {
  switch (ice) {
    case "connected":
    case "completed":
      return { ...STEADY, attemptAtMs: state.attemptAtMs, attempts: state.attempts };
    case "disconnected":
      if (state.brokenAtMs !== null) return state;
      return { ...state, brokenAtMs: nowMs, nextAtMs: Math.max(nowMs + limits.graceMs, earliest(state, limits)) };
    case "failed":
      return { ...state, brokenAtMs: state.brokenAtMs ?? nowMs, nextAtMs: Math.max(nowMs, earliest(state, limits)) };
    case "new":
    case "checking": // An attempt is under way.
    case "closed":
      return state;
  }
}

function act(state: RestartState, nowMs: number, isOfferer: boolean, limits: RestartLimits): RestartStep {
  const { brokenAtMs } = state;
  if (brokenAtMs === null) return { state, effects: [], wakeAtMs: Infinity };
  if (nowMs - brokenAtMs >= limits.deadlineMs) {
    return { state: { ...state, hasGivenUp: true }, effects: ["give-up"], wakeAtMs: Infinity };
  }
  if (nowMs < state.nextAtMs) return { state, effects: [], wakeAtMs: wakeAt(state, limits) };
  const next = attempted(state, nowMs, limits);
  return { state: next, effects: [isOfferer ? "offer" : "ask"], wakeAtMs: wakeAt(next, limits) };
}

function attempted(state: RestartState, nowMs: number, { retryMs }: RestartLimits): RestartState {
  return { ...state, attemptAtMs: nowMs, attempts: state.attempts + 1, nextAtMs: nowMs + retryMs };
}

function earliest({ attemptAtMs }: RestartState, { retryMs }: RestartLimits): number {
  return attemptAtMs + retryMs;
}

function wakeAt({ brokenAtMs, nextAtMs }: RestartState, { deadlineMs }: RestartLimits): number {
  return brokenAtMs === null ? Infinity : Math.min(nextAtMs, brokenAtMs + deadlineMs);
}
