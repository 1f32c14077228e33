/** One member of the all-reduce benchmark: a thread with a port to each of the others. */
import { parentPort, workerData } from "node:worker_threads";
import type { MessagePort as NodeMessagePort } from "node:worker_threads";
import { assert, present } from "../src/base/assert.ts";
import { systemClock } from "../src/base/clock.ts";
import { Group } from "../src/network/collectives/group.ts";
import { Mux } from "../src/network/mux.ts";
import { MessagePortTransport } from "../src/network/transport/message-port/message-port-transport.ts";
import { medianMs } from "./measure.ts";

export interface AllReduceRequest {
  readonly self: string;
  readonly members: readonly string[];
  readonly floats: number;
  readonly ports: ReadonlyMap<string, NodeMessagePort>;
}

export interface AllReduceResult {
  /** Median of the measured ones. */
  readonly ms: number;
}

const DEADLINE_MS = 60_000;

async function run({ self, members, floats, ports }: AllReduceRequest): Promise<AllReduceResult> {
  // Node's ports do all that the DOM's do.
  const portTo = (peer: string) => present(ports.get(peer), `a port to ${peer}`) as unknown as MessagePort;
  const transport = new MessagePortTransport(self, systemClock, async (peer) => portTo(peer));
  const mux = new Mux({ transport });
  const rank = members.indexOf(self);
  // The lower rank connects, the higher one accepts the other end.
  for (const [other, peer] of members.entries()) if (other < rank) transport.acceptPort(peer, portTo(peer));
  const higher = members.filter((_, other) => other > rank);
  await Promise.all(higher.map((peer) => mux.connect(peer, { deadlineMs: DEADLINE_MS })));
  while (!members.every((peer) => peer === self || mux.isLinked(peer)))
    await new Promise((next) => setTimeout(next, 5));
  const group = new Group({ mux, members, fence: { incarnation: 1, epoch: 1 }, clock: systemClock });
  const values = new Float32Array(floats).fill(rank + 1);
  const expected = (members.length * (members.length + 1)) / 2;
  let operation = 0;
  const ms = await medianMs(async () => {
    const sum = await group.allReduce(values, {
      operation: ++operation,
      category: "gradients",
      deadlineMs: DEADLINE_MS,
    });
    assert(
      sum[0] === expected && sum[floats - 1] === expected,
      `bench all-reduce: expected ${expected}, found ${sum[0]}`,
    );
  });
  await group.barrier({ operation: ++operation, category: "control", deadlineMs: DEADLINE_MS });
  return { ms };
}

parentPort?.postMessage(await run(workerData as AllReduceRequest));
