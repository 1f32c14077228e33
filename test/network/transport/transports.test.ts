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

/** The worker's half of WebRTC, with pages that hold imitated data channels and relay them: all but the browser itself. */
describeTransport("webrtc transport, relayed", () => {
  const lines = new Map<string, MessagePort>(); // The page's end of each tab's line.
  const post = (peer: string, message: ToWorker, transfer: Transferable[]): void => {
    lines.get(peer)?.postMessage(message, transfer);
  };
  let count = 0;
  const dial = (from: string, to: string, key: string): void => {
    if (!lines.has(to)) return post(from, { kind: "failed", key, why: "other", reason: "not there yet" }, []);
    const channels = wiredChannels(from, to);
    const keys = [key, `in-${(count += 1)}`];
    for (const [at, peer] of [from, to].entries()) {
      const { port1, port2 } = new MessageChannel();
      relay(channels[at] as SimulatedChannel, port1);
      const other = at === 0 ? to : from;
      post(peer, { kind: "channel", key: keys[at] as string, peer: other, port: port2 }, [port2]);
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
  return { path: "relay", join, run: (promise) => promise, pass: (ms) => sleep(ms, systemClock), end };
});

function wiredChannels(a: string, b: string): [SimulatedChannel, SimulatedChannel] {
  const wire: Wire = {
    ends: [a, b],
    clock: systemClock,
    bytesPerMs: 100_000,
    latencyMs: () => 1,
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
