import { expect, test } from "vitest";
import { Random } from "../../../src/base/random.ts";
import { exchangeTransport } from "../../../src/network/transport/message-port/exchange-transport.ts";
import { PortExchange } from "../../../src/network/transport/message-port/port-exchange.ts";
import { PreferredTransport } from "../../../src/network/transport/preferred-transport.ts";
import { SimulatedNetwork } from "../../../src/network/transport/simulated/simulated-network.ts";
import { systemClock } from "../../../src/base/clock.ts";
import { sleep } from "../../../src/base/wait.ts";
import { MessagePortTransport } from "../../../src/network/transport/message-port/message-port-transport.ts";
import { WorkerTransport } from "../../../src/host/browser/rtc-worker.ts";
import { SimulatedChannel } from "../../../src/network/transport/simulated/simulated-channel.ts";
import type { Wire } from "../../../src/network/transport/simulated/simulated-channel.ts";
import type { ToPage, ToWorker } from "../../../src/network/transport/webrtc/page-line.ts";
import { relay } from "../../../src/network/transport/webrtc/relay.ts";
import { simulatedNetwork } from "../support/virtual.ts";
import { describeTransport } from "./conformance.ts";
import type { World } from "./conformance.ts";

describeTransport("simulated transport", () => {
  const { network, clock } = simulatedNetwork(1, { latencyMs: 4, jitterMs: 3 });
  return {
    path: "simulated",
    join: (peer) => network.join(peer),
    run: (promise) => clock.run(promise),
    pass: (ms) => clock.advance(ms),
    end: () => {},
  };
});

describeTransport("message-port transport", () => {
  const transports = new Map<string, MessagePortTransport>();
  const join: World["join"] = (peer) => {
    const transport = new MessagePortTransport(peer, systemClock, async (other) => {
      const { port1, port2 } = new MessageChannel();
      const there = transports.get(other);
      if (there !== undefined) there.acceptPort(peer, port2);
      else port2.close();
      return port1;
    });
    transports.set(peer, transport);
    return transport;
  };
  return { path: "port", join, run: (promise) => promise, pass: (ms) => sleep(ms, systemClock), end: () => {} };
});

describeTransport("message-port transport, by way of an exchange", () => {
  const exchange = new PortExchange();
  const lines: MessagePort[] = [];
  const join: World["join"] = (peer) => {
    const { port1, port2 } = new MessageChannel();
    lines.push(port1, port2);
    exchange.attach(port2);
    return exchangeTransport(peer, systemClock, port1);
  };
  const end = (): void => lines.forEach((line) => line.close());
  return { path: "port", join, run: (promise) => promise, pass: (ms) => sleep(ms, systemClock), end };
});

/** Tabs of one browser come first, and nobody is reached by the second transport. */
describeTransport("preferred transport", () => {
  const near = simulatedNetwork(2, { latencyMs: 4 });
  const far = new SimulatedNetwork({ clock: near.clock, random: new Random(3), latencyMs: 40 });
  return {
    path: "simulated",
    join: (peer) => new PreferredTransport([near.network.join(peer), far.join(peer)], near.clock),
    run: (promise) => near.clock.run(promise),
    pass: (ms) => near.clock.advance(ms),
    end: () => {},
  };
});

test("a peer that the best transport does not reach is reached by the next, and both sides use that link", async () => {
  const { network, clock } = simulatedNetwork(4, { latencyMs: 4 });
  const exchange = new PortExchange();
  const peers = ["a", "b"].map((peer) => {
    const { port1, port2 } = new MessageChannel();
    if (peer === "a") exchange.attach(port2); // "b" is in another browser.
    return { peer, line: port1, other: port2 };
  });
  const [a, b] = peers.map(({ peer, line }) => {
    return new PreferredTransport([exchangeTransport(peer, systemClock, line), network.join(peer)], clock);
  }) as [PreferredTransport, PreferredTransport];
  const accepted: string[] = [];
  b.onLink((link) => accepted.push(link.path));
  a.onLink(() => {});
  const connecting = a.connect("b", { deadlineMs: 5_000 });
  await sleep(50, systemClock); // The exchange's time is real, and it has no such tab.
  expect((await clock.run(connecting)).path).toBe("simulated");
  await clock.advance(50);
  expect(accepted).toEqual(["simulated"]);
  expect((await clock.run(a.connect("b", { deadlineMs: 5_000 }))).path).toBe("simulated");
  for (const { line, other } of peers) for (const port of [line, other]) port.close();
});

/** The worker's half of WebRTC, with pages that hold imitated data channels and relay them: all but the browser itself. */
describeTransport("webrtc transport, relayed", () => pagesInNode(1));

describeTransport("webrtc transport, relayed, striped over four lanes", () => pagesInNode(4));

function pagesInNode(lanes: number): World {
  const lines = new Map<string, MessagePort>(); // The page's end of each tab's line.
  const post = (peer: string, message: ToWorker, transfer: Transferable[]): void => {
    lines.get(peer)?.postMessage(message, transfer);
  };
  let count = 0;
  const dial = (from: string, to: string, key: string): void => {
    if (!lines.has(to)) return post(from, { kind: "failed", key, why: "other", reason: "not there yet" }, []);
    const keys = [key, `in-${(count += 1)}`] as const;
    for (let lane = 0; lane < lanes; lane++) {
      // Lanes are there at once or late, and none is as fast as another.
      const channels = wiredChannels(from, to, 1 + 3 * ((lane * 2) % 5));
      for (const [at, peer] of [from, to].entries()) {
        const { port1, port2 } = new MessageChannel();
        relay(channels[at] as SimulatedChannel, port1);
        const name = keys[at] as string;
        const message: ToWorker =
          lane === 0
            ? { kind: "channel", key: name, peer: at === 0 ? to : from, port: port2 }
            : { kind: "lane", key: name, port: port2 };
        setTimeout(() => post(peer, message, [port2]), 5 * lane + 7 * at * lane);
      }
    }
  };
  const join: World["join"] = (peer) => {
    const { port1, port2 } = new MessageChannel();
    lines.set(peer, port1);
    port1.onmessage = ({ data }: MessageEvent<ToPage>) => {
      if (data.kind === "dial") dial(peer, data.peer, data.key);
    };
    return new WorkerTransport({ self: peer, port: port2, clock: systemClock });
  };
  const end = (): void => lines.forEach((line) => line.close());
  return { path: "page", join, run: (promise) => promise, pass: (ms) => sleep(ms, systemClock), end };
}

function wiredChannels(a: string, b: string, latencyMs: number): [SimulatedChannel, SimulatedChannel] {
  const wire: Wire = {
    ends: [a, b],
    clock: systemClock,
    bytesPerMs: 100_000,
    latencyMs: () => latencyMs,
    isCut: () => false,
    at: (_, happen) => happen(),
    flush: () => {},
    close: () => {
      near.closeFromOutside();
      far.closeFromOutside();
    },
  };
  const near = new SimulatedChannel(wire, a);
  const far = new SimulatedChannel(wire, b);
  near.other = far;
  far.other = near;
  return [near, far];
}
