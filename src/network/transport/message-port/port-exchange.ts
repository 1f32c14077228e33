/**
 * Brings tabs of one browser together: each has a line to the exchange, which lives in a SharedWorker, and gets one end
 * of a new MessageChannel for each other tab that it dials. Afterwards tabs talk directly.
 */
import type { PeerId } from "../transport.ts";

/** What a tab says to the exchange. `key` names a dial. */
export type ToExchange =
  | { readonly kind: "here"; readonly peer: PeerId }
  | { readonly kind: "dial"; readonly key: number; readonly peer: PeerId }
  /** Whether such a tab is here. */
  | { readonly kind: "ask"; readonly key: number; readonly peer: PeerId }
  | { readonly kind: "gone" };

/** What the exchange says to a tab. */
export type FromExchange =
  /** The other end of a port that `peer` asked for. */
  | { readonly kind: "incoming"; readonly peer: PeerId; readonly port: MessagePort }
  | { readonly kind: "connected"; readonly key: number; readonly port: MessagePort }
  | { readonly kind: "answer"; readonly key: number; readonly isHere: boolean }
  | { readonly kind: "absent"; readonly key: number };

/** The exchange of one browser: `onconnect = ({ ports }) => exchange.attach(ports[0])`. */
export class PortExchange {
  readonly #lines = new Map<PeerId, MessagePort>();

  /** A tab's line. */
  attach(line: MessagePort): void {
    let self: PeerId | null = null;
    const leave = (): void => {
      if (self !== null && this.#lines.get(self) === line) this.#lines.delete(self);
    };
    line.addEventListener("close", leave);
    line.onmessage = ({ data }: MessageEvent<ToExchange>) => {
      if (data.kind === "here") {
        self = data.peer;
        this.#lines.set(self, line);
      } else if (data.kind === "gone") {
        leave();
      } else if (data.kind === "ask") {
        const isHere = this.#lines.has(data.peer) && self !== data.peer;
        line.postMessage({ kind: "answer", key: data.key, isHere } satisfies FromExchange);
      } else if (self !== null) {
        this.#dial(self, line, data.key, data.peer);
      }
    };
  }

  #dial(from: PeerId, line: MessagePort, key: number, to: PeerId): void {
    const other = this.#lines.get(to);
    if (other === undefined || other === line) {
      line.postMessage({ kind: "absent", key } satisfies FromExchange);
      return;
    }
    const { port1, port2 } = new MessageChannel();
    other.postMessage({ kind: "incoming", peer: from, port: port2 } satisfies FromExchange, [port2]);
    line.postMessage({ kind: "connected", key, port: port1 } satisfies FromExchange, [port1]);
  }
}
