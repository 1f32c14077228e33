import { systemClock } from "../../../src/base/clock.ts";
import { sleep } from "../../../src/base/wait.ts";
import { MessagePortTransport } from "../../../src/network/transport/message-port/message-port-transport.ts";
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
