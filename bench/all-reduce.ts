/**
 * All-reduce among 4 threads over MessagePorts, as between tabs of one browser. Bus bandwidth is nccl-tests': the
 * buffer's bytes by the time, times 2(n-1)/n, which is what each link of a ring carries.
 */
import { once } from "node:events";
import { MessageChannel as NodeMessageChannel, Worker } from "node:worker_threads";
import type { MessagePort as NodeMessagePort } from "node:worker_threads";
import { DeadlineError } from "../src/base/errors.ts";
import { systemClock } from "../src/base/clock.ts";
import { withDeadline } from "../src/base/wait.ts";
import type { AllReduceRequest, AllReduceResult } from "./all-reduce-worker.ts";
import type { Measured } from "./result.ts";

const MEMBERS = ["a", "b", "c", "d"];
const DEADLINE_MS = 120_000;
const BUS_FACTOR = (2 * (MEMBERS.length - 1)) / MEMBERS.length;

const CASES = [
  { name: "4 B", floats: 1, algorithm: undefined },
  { name: "440 kB", floats: 110_000, algorithm: undefined },
  { name: "16 MiB", floats: 4 * 1024 * 1024, algorithm: undefined },
  { name: "16 MiB, ring", floats: 4 * 1024 * 1024, algorithm: "ring" },
  { name: "16 MiB, halving-doubling", floats: 4 * 1024 * 1024, algorithm: "halving-doubling" },
  { name: "16 MiB, double-tree", floats: 4 * 1024 * 1024, algorithm: "double-tree" },
] as const;

export async function allReduce(): Promise<Measured[]> {
  const results: Measured[] = [];
  for (const { name, floats, algorithm } of CASES) {
    const { ms, rawMs, roundTripMs } = await measure(floats, algorithm);
    const busMBs = (floats * 4 * BUS_FACTOR) / ms / 1e3;
    const rawMBs = (floats * 4) / rawMs / 1e3;
    const notes =
      floats === 1
        ? `MessagePorts between threads, ${(ms / roundTripMs).toFixed(1)} round trips of ${roundTripMs.toFixed(3)} ms`
        : `MessagePorts between threads, bus bandwidth ${busMBs.toFixed(0)} MB/s; raw ports of the ring, all at once ${rawMBs.toFixed(0)} MB/s`;
    results.push({ case: `${name} among ${MEMBERS.length}`, unit: "ms", better: "lower", ours: ms, notes });
  }
  return results;
}

/** What the slowest member measured. */
async function measure(floats: number, algorithm: AllReduceRequest["algorithm"]): Promise<AllReduceResult> {
  const ports = new Map(MEMBERS.map((member) => [member, new Map<string, NodeMessagePort>()]));
  const raw = new Map(MEMBERS.map((member) => [member, new Map<string, NodeMessagePort>()]));
  for (const [at, member] of MEMBERS.entries()) {
    for (const other of MEMBERS.slice(at + 1)) {
      for (const ends of [ports, raw]) {
        const { port1, port2 } = new NodeMessageChannel();
        ends.get(member)?.set(other, port1);
        ends.get(other)?.set(member, port2);
      }
    }
  }
  const none = new Map<string, NodeMessagePort>();
  const workers = MEMBERS.map((self) => {
    const [own, bare] = [ports.get(self) ?? none, raw.get(self) ?? none];
    const workerData: AllReduceRequest = { self, members: MEMBERS, floats, algorithm, ports: own, raw: bare };
    return openThread(workerData, [...own.values(), ...bare.values()]);
  });
  try {
    const all = Promise.all(workers.map(async (worker) => (await once(worker, "message")) as [AllReduceResult]));
    const results = (await withDeadline("bench all-reduce", all, systemClock, { deadlineMs: DEADLINE_MS })).flat();
    if (results.length === 0) throw new DeadlineError("bench all-reduce: expected a result of each member, found none");
    const slowest = (pick: (result: AllReduceResult) => number): number => Math.max(...results.map(pick));
    return {
      ms: slowest(({ ms }) => ms),
      rawMs: slowest(({ rawMs }) => rawMs),
      roundTripMs: slowest(({ roundTripMs }) => roundTripMs),
    };
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

/** A thread that runs the worker's TypeScript: on Node 20 the loader of the main thread is not its own. */
function openThread(workerData: AllReduceRequest, transferList: NodeMessagePort[]): Worker {
  const loader = JSON.stringify(import.meta.resolve("tsx/esm/api"));
  const program = JSON.stringify(new URL("./all-reduce-worker.ts", import.meta.url).href);
  const code = `import(${loader}).then(({ register }) => { register(); return import(${program}); });`;
  return new Worker(code, { eval: true, workerData, transferList });
}
