/**
 * How an engine worker reaches the others of its room: tabs of this browser by ports, others by WebRTC, and by the
 * server's relay where that does not connect in time.
 */
import type { Clock } from "../../base/clock.ts";
import { exchangeTransport } from "../../network/transport/message-port/exchange-transport.ts";
import { PreferredTransport } from "../../network/transport/preferred-transport.ts";
import { RelayTransport } from "../../network/transport/websocket-relay/relay-transport.ts";
import type { RelaySocket } from "../../network/transport/websocket-relay/relay-line.ts";
import { RELAY_PATH } from "../../network/wire/relay-message.ts";
import type { ServerMessage } from "../../network/wire/messages.ts";
import type { EngineStart } from "./engine-api.ts";
import { WorkerTransport } from "./rtc-worker.ts";

/** For WebRTC to connect, a TURN server far away included; what is left of the deadline is the relay's. */
const WEBRTC_MS_MAX = 5_000;

export class RoomTransport extends PreferredTransport {
  readonly #webrtc: WorkerTransport;
  readonly #relay: RelayTransport;
  readonly #relayUrl: string;

  constructor({ identity, rtc, ports, coordinatorUrl }: EngineStart, clock: Clock) {
    const webrtc = new WorkerTransport({ self: identity.peer, port: rtc, clock });
    const random = (count: number): Uint8Array => crypto.getRandomValues(new Uint8Array(count));
    const open = (url: string): RelaySocket => new WebSocket(url) as unknown as RelaySocket;
    const relay = new RelayTransport({ identity, clock, random, open });
    const near = ports === null ? [] : [exchangeTransport(identity.peer, clock, ports)];
    super([...near, { transport: webrtc, patienceMs: WEBRTC_MS_MAX }, relay], clock);
    this.#webrtc = webrtc;
    this.#relay = relay;
    this.#relayUrl = new URL(RELAY_PATH, coordinatorUrl).href;
  }

  /** What the server says of ways to others. */
  onNetwork({ iceServers, relayTicket }: Extract<ServerMessage, { kind: "network" }>): void {
    this.#webrtc.useIceServers(iceServers);
    if (relayTicket !== null) this.#relay.admit({ url: this.#relayUrl, ticket: relayTicket });
  }
}
