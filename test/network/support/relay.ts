/** A relay of its own on a free port, and transports at it. */
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocket } from "ws";
import { Metrics } from "../../../signaling-server/metrics.ts";
import { RELAY_LIMITS, type RelayLimits } from "../../../signaling-server/relay/relay-ledger.ts";
import { RelaySockets } from "../../../signaling-server/relay/relay-sockets.ts";
import { Tickets } from "../../../signaling-server/relay/tickets.ts";
import { systemClock } from "../../../src/base/clock.ts";
import { createIdentity, type Identity } from "../../../src/network/transport/websocket-relay/identity.ts";
import type { RelaySocket } from "../../../src/network/transport/websocket-relay/relay-line.ts";
import { RelayTransport } from "../../../src/network/transport/websocket-relay/relay-transport.ts";

export interface TestRelay {
  readonly url: string;
  readonly sockets: RelaySockets;
  readonly logged: string[];
  ticket(room: string, peer: string, forMs?: number): string;
  /** A transport at this relay, admitted. */
  join(room: string, identity: Identity): RelayTransport;
  /** Ends all sockets, and takes new ones. */
  cut(): void;
  end(): Promise<void>;
}

export async function testRelay(limits: Partial<RelayLimits> = {}): Promise<TestRelay> {
  const tickets = new Tickets(randomBytes(32));
  const logged: string[] = [];
  const metrics = new Metrics();
  const sockets = new RelaySockets({
    tickets,
    limits: { ...RELAY_LIMITS, ...limits },
    clock: systemClock,
    metrics,
    log: (line) => logged.push(line),
  });
  const server = createServer();
  server.on("upgrade", (request, socket, head) => {
    if (!sockets.upgrade(request, socket, head)) socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/relay`;
  const ticket: TestRelay["ticket"] = (room, peer, forMs = 60_000) =>
    tickets.issue({ room, peer }, systemClock.wallMs() + forMs);
  return {
    url,
    sockets,
    logged,
    ticket,
    join(room, identity) {
      const transport = new RelayTransport({ identity, clock: systemClock, random: randomBytes, open: openSocket });
      transport.admit({ url, ticket: ticket(room, identity.peer) });
      return transport;
    },
    cut: () => sockets.terminate(),
    end: async () => {
      sockets.close("done");
      sockets.terminate();
      metrics.stop();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export function openSocket(url: string): RelaySocket {
  return new WebSocket(url) as unknown as RelaySocket;
}

/** Identities in the order of their ids. */
export async function identities(count: number): Promise<Identity[]> {
  const made = await Promise.all(Array.from({ length: count }, () => createIdentity("tab")));
  return made.sort((a, b) => (a.peer < b.peer ? -1 : 1));
}
