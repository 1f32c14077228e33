/** What the network's tests share: virtual time, and a simulated network on it. */
import { Random } from "../../../src/base/random.ts";
import { SimulatedNetwork } from "../../../src/network/transport/simulated/simulated-network.ts";
import type { NetworkOptions } from "../../../src/network/transport/simulated/simulated-network.ts";
import { VirtualClock } from "../../../src/network/transport/simulated/virtual-clock.ts";

export function virtualClock(): VirtualClock {
  return new VirtualClock(() => new Promise((resolve) => setImmediate(resolve)));
}

export function simulatedNetwork(
  seed: number,
  options: Partial<NetworkOptions> = {},
): { network: SimulatedNetwork; clock: VirtualClock } {
  const clock = virtualClock();
  return { network: new SimulatedNetwork({ clock, random: new Random(seed, "network"), ...options }), clock };
}
