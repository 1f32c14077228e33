/**
 * The places of a run's tabs: who sits there, and whether a fault still troubles it. A place outlives its tabs: who comes
 * for one that was killed takes its place. Pure: facts and time in.
 */

/** What is known of the tab in a place. */
export interface SeatFacts {
  readonly isLive: boolean;
  /** As its page says; undefined before it says anything. */
  readonly phase: string | undefined;
}

interface Seat {
  tab: number;
  /** A fault struck it, and it has not been seen training since that was over. */
  isTroubled: boolean;
  /** Before this nothing that it says counts. */
  quietUntilMs: number;
  /** Looks in a row that found it training. */
  trainingLooks: number;
}

/** What a page said before a fault is still its last word at the first look after it. */
const TRAINING_LOOKS = 2;

export class Seats {
  readonly #seats: Seat[];

  /** Tabs 0 to `count` - 1, all of them well. */
  constructor(count: number) {
    this.#seats = Array.from({ length: count }, (_, tab) => {
      return { tab, isTroubled: false, quietUntilMs: 0, trainingLooks: 0 };
    });
  }

  get tabs(): readonly number[] {
    return this.#seats.map(({ tab }) => tab);
  }

  /** Tabs that no fault troubles. */
  get healthy(): readonly number[] {
    return this.#seats.flatMap(({ tab, isTroubled }) => (isTroubled ? [] : [tab]));
  }

  /** May another tab be struck? No more than half are troubled at once, so one is always well. */
  get mayStrike(): boolean {
    const troubled = this.#seats.length - this.healthy.length;
    return troubled + 1 <= Math.floor(this.#seats.length / 2);
  }

  /** The healthy tab at `fraction` in [0, 1), or null when no more may be struck. */
  pick(fraction: number): number | null {
    const { healthy } = this;
    return this.mayStrike ? (healthy[Math.floor(fraction * healthy.length)] ?? null) : null;
  }

  /** A fault strikes `tab`, and troubles it until then at least. */
  trouble(tab: number, untilMs: number): void {
    const seat = this.#seats.find((each) => each.tab === tab);
    if (seat) Object.assign(seat, { isTroubled: true, quietUntilMs: untilMs, trainingLooks: 0 });
  }

  /** Tab `other` comes for `tab`. */
  replace(tab: number, other: number): void {
    const seat = this.#seats.find((each) => each.tab === tab);
    if (seat) Object.assign(seat, { tab: other, trainingLooks: 0 });
  }

  /** Looks at every place. */
  look(factsOf: (tab: number) => SeatFacts, nowMs: number): void {
    for (const seat of this.#seats) {
      if (!seat.isTroubled || nowMs < seat.quietUntilMs) continue;
      const { isLive, phase } = factsOf(seat.tab);
      seat.trainingLooks = isLive && phase === "training" ? seat.trainingLooks + 1 : 0;
      if (seat.trainingLooks >= TRAINING_LOOKS) seat.isTroubled = false;
    }
  }
}
