/** All-reduce among threads of Node over MessagePorts. */
import { once } from "node:events";
import { MessageChannel as NodeMessageChannel, Worker } from "node:worker_threads";
import type { MessagePort as NodeMessagePort } from "node:worker_threads";
import { systemClock } from "../../src/base/clock.ts";
import { withDeadline } from "../../src/base/wait.ts";
import type { MemberRequest, MemberResult } from "./measure-member.ts";
import type { ThreadRequest } from "./thread.ts";

const DEADLINE_MS = 120_000;

type Ports = ReadonlyMap<string, Map<string, NodeMessagePort>>;

/** What each member measured. @throws DeadlineError */
export async function measureThreads(members: readonly string[], request: MemberRequest): Promise<MemberResult[]> {
  const [ports, bare] = [portsOf(members), portsOf(members)];
  const workers = members.map((self) => {
    const [own, beside] = [ports.get(self) ?? new Map(), bare.get(self) ?? new Map()];
    const data: ThreadRequest = { ...request, self, members, ports: own, bare: beside };
    return openThread(new URL("./thread.ts", import.meta.url), data, [...own.values(), ...beside.values()]);
  });
  try {
    const all = Promise.all(workers.map(async (worker) => (await once(worker, "message")) as [MemberResult]));
    return (await withDeadline("bench all-reduce", all, systemClock, { deadlineMs: DEADLINE_MS })).flat();
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

/** One end of a channel for each ordered pair. */
function portsOf(members: readonly string[]): Ports {
  const ports = new Map(members.map((member) => [member, new Map<string, NodeMessagePort>()]));
  for (const [at, member] of members.entries()) {
    for (const other of members.slice(at + 1)) {
      const { port1, port2 } = new NodeMessageChannel();
      ports.get(member)?.set(other, port1);
      ports.get(other)?.set(member, port2);
    }
  }
  return ports;
}

/** A thread that runs TypeScript: on Node 20 the loader of the main thread is not its own. */
export function openThread(url: URL, workerData: unknown, transferList: NodeMessagePort[]): Worker {
  const loader = JSON.stringify(import.meta.resolve("tsx/esm/api"));
  const program = JSON.stringify(url.href);
  const code = `import(${loader}).then(({ register }) => { register(); return import(${program}); });`;
  return new Worker(code, { eval: true, workerData, transferList });
}
