/** Peers in this process that reach each other by WebRTC, with signals handed over as PeerServer does. */
import { systemClock } from "../../../src/base/clock.ts";
import type { PeerSignal, PeerSignaling } from "../../../src/host/node/rtc/peer-signals.ts";
import { parseSignal } from "../../../src/host/node/rtc/peer-signals.ts";
import { NodeRtcTransport } from "../../../src/host/node/rtc/rtc-transport.ts";
import type { PeerConnections } from "../../../src/host/node/rtc/wrtc.ts";

export class NodeRtcPeers {
  readonly #connections: PeerConnections;
  readonly #listeners = new Map<string, (signal: PeerSignal) => void>();

  constructor(connections: PeerConnections) {
    this.#connections = connections;
  }

  join(self: string): NodeRtcTransport {
    return new NodeRtcTransport({
      self,
      clock: systemClock,
      connections: this.#connections,
      signaling: this.#signaling(self),
    });
  }

  #signaling(self: string): PeerSignaling {
    return {
      send: (to, signal) => {
        // Through JSON, as over a socket.
        const text = JSON.stringify({ ...signal, src: self });
        setImmediate(() => {
          const there = this.#listeners.get(to);
          if (there === undefined) return this.#deliver(self, { type: "EXPIRE", src: to });
          const parsed = parseSignal(JSON.parse(text));
          if (parsed !== null) there(parsed);
        });
      },
      onSignal: (listener) => this.#listeners.set(self, listener),
      close: () => this.#listeners.delete(self),
    };
  }

  #deliver(to: string, signal: PeerSignal): void {
    this.#listeners.get(to)?.(signal);
  }
}
