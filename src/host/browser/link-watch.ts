/** Looks at this tab's links from time to time: by which way each goes, how long a round trip takes, what it carries. */
import type { Clock } from "../../base/clock.ts";
import type { Mux } from "../../network/mux.ts";
import type { LinkView } from "./room-view.ts";

/** Pings cost next to nothing so seldom, and people read no faster. */
const LOOK_MS = 2_000;

export interface LinkWatchOptions {
  readonly clock: Clock;
  readonly mux: Pick<Mux, "paths" | "probe" | "stats">;
  /** By peer. */
  show(links: Readonly<Record<string, LinkView>>): void;
}

/** Works from its making until `close`. */
export class LinkWatch {
  readonly #options: LinkWatchOptions;
  #bytes: ReadonlyMap<string, number> = new Map();
  #cancel: () => void;

  constructor(options: LinkWatchOptions) {
    this.#options = options;
    this.#cancel = options.clock.after(LOOK_MS, () => this.#look());
  }

  /** Looks no more. */
  close(): void {
    this.#cancel();
  }

  #look(): void {
    const { clock, mux, show } = this.#options;
    const { links } = mux.stats();
    const paths = mux.paths();
    const bytes = new Map(Object.entries(links).map(([peer, link]) => [peer, link.bytesSent + link.bytesReceived]));
    const views = Object.entries(links).map(([peer, { roundTripMs = null }]): [string, LinkView] => {
      const since = (bytes.get(peer) ?? 0) - (this.#bytes.get(peer) ?? 0);
      // A link that is another one now begins to count anew.
      const bytesPerSecond = Math.max(0, since) / (LOOK_MS / 1_000);
      mux.probe(peer, { deadlineMs: LOOK_MS }).catch(() => {}); // Whether it lives is others' to find out.
      return [peer, { path: paths[peer] ?? "", roundTripMs, bytesPerSecond }];
    });
    this.#bytes = bytes;
    if (views.length > 0) show(Object.fromEntries(views));
    this.#cancel = clock.after(LOOK_MS, () => this.#look());
  }
}
