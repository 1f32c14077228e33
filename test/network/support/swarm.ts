/** Some peers with muxes on a simulated network, all linked to one another. */
import type { VirtualClock } from "../../../src/network/transport/simulated/virtual-clock.ts";
import type { NetworkOptions, SimulatedNetwork } from "../../../src/network/transport/simulated/simulated-network.ts";
import { Group } from "../../../src/network/collectives/group.ts";
import type { GroupOptions } from "../../../src/network/collectives/group.ts";
import { Mux } from "../../../src/network/mux.ts";
import type { MuxOptions } from "../../../src/network/mux.ts";
import { simulatedNetwork } from "./virtual.ts";

export interface Swarm {
  readonly network: SimulatedNetwork;
  readonly clock: VirtualClock;
  readonly peers: readonly string[];
  readonly muxes: readonly Mux[];
  mux(rank: number): Mux;
  /** One group a member. */
  groups(epoch: number, options?: Partial<GroupOptions>): Group[];
  /** `promise`, with time running. */
  run<T>(promise: Promise<T>): Promise<T>;
}

export async function swarm(
  size: number,
  seed: number,
  options: { network?: Partial<NetworkOptions>; mux?: Partial<MuxOptions>; isBusy?: () => boolean } = {},
): Promise<Swarm> {
  const { network, clock } = simulatedNetwork(seed, { latencyMs: 3, jitterMs: 5, ...options.network }, options.isBusy); // prettier-ignore
  const peers = Array.from({ length: size }, (_, rank) => `peer-${rank}`);
  const muxes = peers.map((peer) => new Mux({ transport: network.join(peer), ...options.mux }));
  const dials = muxes.flatMap((mux) =>
    peers.filter((peer) => peer > mux.self).map((peer) => mux.connect(peer, { deadlineMs: 5_000 })),
  );
  await clock.run(Promise.all(dials));
  await clock.advance(100);
  return {
    network,
    clock,
    peers,
    muxes,
    mux: (rank) => muxes[rank] as Mux,
    groups: (epoch, groupOptions = {}) =>
      muxes.map(
        (mux) =>
          new Group({
            mux,
            members: peers,
            fence: { incarnation: 1, epoch },
            clock: network.clockOf(mux.self),
            ...groupOptions,
          }),
      ),
    run: (promise) => clock.run(promise),
  };
}
