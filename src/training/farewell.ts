/** Waiting to be let go: a tab that leaves says so, and says it again to every coordinator, until it is released. */
import type { Clock } from "../base/clock.ts";
import { deferred, type Deferred } from "../network/deferred.ts";
import type { ClientMessage } from "../network/wire/messages.ts";

/** For the others to take over, the step in flight included, before the tab goes all the same. */
const FAREWELL_MS_MAX = 45_000;

export class Farewell {
  readonly #clock: Clock;
  readonly #send: (message: ClientMessage) => void;
  #open: { readonly reason: string; readonly going: Deferred<boolean> } | null = null;

  constructor(clock: Clock, send: (message: ClientMessage) => void) {
    this.#clock = clock;
    this.#send = send;
  }

  /** True when the tab may go: released, or after FAREWELL_MS_MAX. False when `end` called it off. */
  begin(reason: string): Promise<boolean> {
    if (this.#open === null) {
      const going = deferred<boolean>();
      const cancel = this.#clock.after(FAREWELL_MS_MAX, () => going.resolve(true));
      void going.promise.then(cancel);
      this.#open = { reason, going };
      this.say();
    }
    return this.#open.going.promise;
  }

  /** Again, before each join: then nobody counts on this tab in between. True if it goes. */
  say(): boolean {
    if (this.#open) this.#send({ kind: "leave", reason: this.#open.reason, handsOver: true });
    return this.#open !== null;
  }

  /** Ends the waiting: the tab goes, or it stays after all. */
  end(isGoing: boolean): void {
    this.#open?.going.resolve(isGoing);
    this.#open = null;
  }
}
