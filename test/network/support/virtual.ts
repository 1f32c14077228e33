/** What the network's tests share: virtual time, and a simulated network on it. */
import { Random } from "../../../src/base/random.ts";
import { SimulatedNetwork } from "../../../src/network/transport/simulated/simulated-network.ts";
import type { NetworkOptions } from "../../../src/network/transport/simulated/simulated-network.ts";
import { VirtualClock } from "../../../src/network/transport/simulated/virtual-clock.ts";

/** Time stands still while `isBusy`, such as a device that works in turns of its own. */
export function virtualClock(isBusy: () => boolean = () => false): VirtualClock {
  return new VirtualClock(async () => {
    do await new Promise((resolve) => setImmediate(resolve));
    while (isBusy());
  });
}

export function simulatedNetwork(
  seed: number,
  options: Partial<NetworkOptions> = {},
  isBusy?: () => boolean,
): { network: SimulatedNetwork; clock: VirtualClock } {
  const clock = virtualClock(isBusy);
  return { network: new SimulatedNetwork({ clock, random: new Random(seed, "network"), ...options }), clock };
}
