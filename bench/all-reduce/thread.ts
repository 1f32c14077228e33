/** One member of the all-reduce benchmark: a thread with a port to each of the others, and a bare one beside it. */
import { parentPort, workerData } from "node:worker_threads";
import type { MessagePort as NodeMessagePort } from "node:worker_threads";
import { present } from "../../src/base/assert.ts";
import { systemClock } from "../../src/base/clock.ts";
import { Group } from "../../src/network/collectives/group.ts";
import { Mux } from "../../src/network/mux.ts";
import { MessagePortTransport } from "../../src/network/transport/message-port/message-port-transport.ts";
import { measureMember } from "./measure-member.ts";
import type { MemberRequest } from "./measure-member.ts";
import { BarePort, RawRing } from "./raw-ring.ts";

export interface ThreadRequest extends MemberRequest {
  readonly self: string;
  readonly members: readonly string[];
  readonly ports: ReadonlyMap<string, NodeMessagePort>;
  /** Ports that nothing of ours uses. */
  readonly bare: ReadonlyMap<string, NodeMessagePort>;
}

const CONNECT_MS_MAX = 60_000;

/** Node's ports do all that the DOM's do. */
const asPort = (port: NodeMessagePort | undefined): MessagePort => present(port, "a port") as unknown as MessagePort;

async function openGroup({ self, members, ports }: ThreadRequest): Promise<Group> {
  const transport = new MessagePortTransport(self, systemClock, async (peer) => asPort(ports.get(peer)));
  const mux = new Mux({ transport });
  const rank = members.indexOf(self);
  // The lower rank connects, the higher one accepts the other end.
  for (const [other, peer] of members.entries()) if (other < rank) transport.acceptPort(peer, asPort(ports.get(peer)));
  const higher = members.filter((_, other) => other > rank);
  await Promise.all(higher.map((peer) => mux.connect(peer, { deadlineMs: CONNECT_MS_MAX })));
  while (!members.every((peer) => peer === self || mux.isLinked(peer)))
    await new Promise((resolve) => setTimeout(resolve, 5));
  return new Group({ mux, members, fence: { incarnation: 1, epoch: 1 }, clock: systemClock });
}

const request = workerData as ThreadRequest;
const group = await openGroup(request);
const bare = new Map([...request.bare].map(([peer, port]) => [peer, new BarePort(asPort(port))]));
parentPort?.postMessage(await measureMember(group, new RawRing(request.members, group.rank, bare), request));
