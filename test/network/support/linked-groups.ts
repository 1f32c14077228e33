/** Muxes over transports of any kind, all linked to one another in real time. */
import { systemClock } from "../../../src/base/clock.ts";
import { sleep, withDeadline } from "../../../src/base/wait.ts";
import { Group } from "../../../src/network/collectives/group.ts";
import { Mux } from "../../../src/network/mux.ts";
import type { Transport } from "../../../src/network/transport/transport.ts";

const LINKED_MS_MAX = 20_000;

/** A mux for each transport, once all are linked. @throws DeadlineError */
export async function linkedMuxes(transports: readonly Transport[]): Promise<Mux[]> {
  const muxes = transports.map((transport) => new Mux({ transport }));
  const members = muxes.map(({ self }) => self);
  const dials = muxes.flatMap((mux) =>
    members.filter((peer) => peer > mux.self).map((peer) => mux.connect(peer, { deadlineMs: LINKED_MS_MAX })),
  );
  const areLinked = (): boolean =>
    muxes.every((mux) => members.every((peer) => peer === mux.self || mux.isLinked(peer)));
  const linking = Promise.all(dials).then(async () => {
    while (!areLinked()) await sleep(5, systemClock);
  });
  await withDeadline("linking all members", linking, systemClock, { deadlineMs: LINKED_MS_MAX });
  return muxes;
}

/** The group of the first `size` of them, or of all: one a member. */
export function groupsOf(muxes: readonly Mux[], epoch: number, size: number = muxes.length): Group[] {
  const among = muxes.slice(0, size);
  const members = among.map(({ self }) => self);
  return among.map((mux) => new Group({ mux, members, fence: { incarnation: 1, epoch }, clock: systemClock }));
}
