/** Runs a member's part of the agreement on who is gone: its clock, its frames, its one verdict. */
import type { Clock } from "../../../base/clock.ts";
import { deferred } from "../../deferred.ts";
import type { Mux } from "../../mux.ts";
import type { PeerId } from "../../transport/transport.ts";
import type { Fence, Frame } from "../../wire/frame.ts";
import { beginVerdict, judge } from "./verdict-state.ts";
import type { VerdictEffect, VerdictEvent, VerdictLimits, VerdictState, View } from "./verdict-state.ts";
import { decodeView, encodeView } from "./view-codec.ts";

/** Who of a group is gone. */
export interface Verdict {
  readonly lost: readonly PeerId[];
  readonly survivors: readonly PeerId[];
  /** False on a member that the others left out, or that found no agreement in time. */
  readonly isAgreed: boolean;
}

interface JudgeOptions {
  readonly mux: Mux;
  readonly members: readonly PeerId[];
  readonly rank: number;
  readonly fence: Fence;
  readonly clock: Clock;
  readonly limits: VerdictLimits;
}

/** Signs of life in the time after which a member counts as silent. */
const BEATS = 4;

export class Judge {
  readonly verdict: Promise<Verdict>;
  readonly #options: JudgeOptions;
  readonly #result = deferred<Verdict>();
  #state: VerdictState;
  #stopBeat: () => void = () => {};

  constructor(options: JudgeOptions) {
    this.#options = options;
    this.verdict = this.#result.promise;
    this.#state = beginVerdict(options.rank, options.members.length, options.clock.nowMs());
    if (options.members.length > 1) this.#beat();
  }

  /** Whether somebody is accused and nothing is decided yet. */
  get isJudging(): boolean {
    return this.#state.accusedAtMs !== null && this.#state.view.kind === "accusing";
  }

  /** A link of the group is gone. */
  lose(peer: PeerId): void {
    this.#feed({ kind: "lost", rank: this.#rankOf(peer) });
  }

  /** A frame of the group came. */
  hear(peer: PeerId): void {
    this.#feed({ kind: "heard", from: this.#rankOf(peer) });
  }

  /** What a member tells. */
  onFrame(from: PeerId, frame: Frame): void {
    const { mux, members } = this.#options;
    const view = decodeView(frame.payload, members.length);
    if (view === null) mux.drop(from, "malformed");
    else this.#feed({ kind: "told", from: this.#rankOf(from), view });
  }

  /** No more signs of life. */
  close(): void {
    this.#stopBeat();
  }

  #beat(): void {
    const { clock, limits } = this.#options;
    this.#stopBeat = clock.after(limits.silenceMsMax / BEATS, () => {
      this.#beat();
      this.#feed({ kind: "tick" });
    });
  }

  #feed(event: VerdictEvent): void {
    const { clock, limits } = this.#options;
    const { state, effects } = judge(this.#state, event, clock.nowMs(), limits);
    this.#state = state;
    for (const effect of effects) this.#carryOut(effect);
  }

  #carryOut(effect: VerdictEffect): void {
    if (effect.kind === "tell") return this.#tell(effect.view, effect.to);
    const { members } = this.#options;
    const { isAgreed } = effect;
    const isLost = (rank: number): boolean => effect.lost.includes(rank);
    this.#result.resolve({
      lost: members.filter((_, rank) => isLost(rank)),
      survivors: members.filter((_, rank) => !isLost(rank)),
      isAgreed: isAgreed && !isLost(this.#options.rank),
    });
  }

  #tell(view: View, to: number | undefined): void {
    const { mux, members, fence } = this.#options;
    const payload = encodeView(view);
    for (const [rank, peer] of members.entries()) {
      if (peer === mux.self || (to !== undefined && to !== rank) || !mux.isLinked(peer)) continue;
      const frame: Frame = { type: "verdict", ...fence, operation: 0, chunk: 0, chunks: 1, payload };
      // Whoever cannot be told is accused by its own silence.
      mux.send(peer, frame, "control").catch(() => {});
    }
  }

  #rankOf(peer: PeerId): number {
    return this.#options.members.indexOf(peer);
  }
}
