/**
 * Keeps a peer connection connected: carries out what `ice-restart.ts` decides. Signals go by whoever made the
 * connection; candidates go their usual way.
 */
import type { Clock } from "../../../base/clock.ts";
import { RESTART_LIMITS, type RestartEvent, restartStep, STEADY } from "./ice-restart.ts";

/** What the two sides say to each other. An answer names the offer that it belongs to. */
export type IceSignal =
  { readonly kind: "ask" } | { readonly kind: "offer" | "answer"; readonly attempt: number; readonly sdp: string };

export interface IceKeeperOptions {
  readonly connection: RTCPeerConnection;
  /** The peer whose id sorts first. */
  readonly isOfferer: boolean;
  readonly clock: Clock;
  /** To the other side; may be lost. */
  readonly send: (signal: IceSignal) => void;
  /** The newest servers, with credentials that hold. */
  readonly configuration: () => RTCConfiguration;
  readonly giveUp: (reason: string) => void;
}

export class IceKeeper {
  readonly #options: IceKeeperOptions;
  #state = STEADY;
  #cancelTick: () => void = () => {};
  /** One description after another. */
  #queue: Promise<void> = Promise.resolve();
  #hasConnected = false;
  #isClosed = false;

  constructor(options: IceKeeperOptions) {
    this.#options = options;
  }

  /** Offers made or asked for so far. */
  get attempts(): number {
    return this.#state.attempts;
  }

  /** `iceConnectionState` changed. */
  onIceState(): void {
    const state = this.#options.connection.iceConnectionState;
    if (state === "connected" || state === "completed") this.#hasConnected = true;
    // What never connected is dialled again, by whoever wants it.
    if (this.#hasConnected) this.#feed({ kind: "ice", state });
    else if (state === "failed") this.#options.giveUp("no path to the peer was found");
  }

  onSignal(signal: IceSignal): void {
    if (this.#isClosed) return;
    if (signal.kind === "ask") this.#feed({ kind: "asked" });
    else if (signal.kind === "offer") this.#then(() => this.#answer(signal.attempt, signal.sdp));
    else this.#then(() => this.#take(signal.attempt, signal.sdp));
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelTick();
  }

  #feed(event: RestartEvent): void {
    if (this.#isClosed) return;
    const { clock, isOfferer, send, giveUp } = this.#options;
    const { state, effects, wakeAtMs } = restartStep(this.#state, event, clock.nowMs(), isOfferer, RESTART_LIMITS);
    this.#state = state;
    this.#cancelTick();
    if (wakeAtMs < Infinity) {
      this.#cancelTick = clock.after(wakeAtMs - clock.nowMs(), () => this.#feed({ kind: "tick" }));
    }
    for (const effect of effects) {
      if (effect === "offer") this.#then(() => this.#offer(state.attempts));
      else if (effect === "ask") send({ kind: "ask" });
      else giveUp("the path to the peer broke, and no other one was found");
    }
  }

  async #offer(attempt: number): Promise<void> {
    const { connection, send, configuration } = this.#options;
    connection.setConfiguration(configuration());
    const { sdp = "" } = await connection.createOffer({ iceRestart: true });
    await connection.setLocalDescription({ type: "offer", sdp });
    send({ kind: "offer", attempt, sdp });
  }

  async #answer(attempt: number, offer: string): Promise<void> {
    const { connection, send, configuration } = this.#options;
    connection.setConfiguration(configuration());
    await connection.setRemoteDescription({ type: "offer", sdp: offer });
    const { sdp = "" } = await connection.createAnswer();
    await connection.setLocalDescription({ type: "answer", sdp });
    send({ kind: "answer", attempt, sdp });
  }

  async #take(attempt: number, sdp: string): Promise<void> {
    const { connection } = this.#options;
    const isWanted = attempt === this.#state.attempts && connection.signalingState === "have-local-offer";
    if (isWanted) await connection.setRemoteDescription({ type: "answer", sdp });
  }

  /** What fails is tried again at the next attempt, or given up at the deadline. */
  #then(work: () => Promise<void>): void {
    this.#queue = this.#queue.then(() => (this.#isClosed ? undefined : work())).catch(() => {});
  }
}
