/** All-reduce among 4 threads over MessagePorts, as between tabs of one browser. */
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

const CASES = [
  { name: "440 kB", floats: 110_000 },
  { name: "16 MiB", floats: 4 * 1024 * 1024 },
] as const;

export async function allReduce(): Promise<Measured[]> {
  const results: Measured[] = [];
  for (const { name, floats } of CASES) {
    const ms = await allReduceMs(floats);
    results.push({
      case: `${name} among ${MEMBERS.length}`,
      unit: "ms",
      better: "lower",
      ours: ms,
      notes: `MessagePorts between threads, ${((floats * 4) / ms / 1e3).toFixed(0)} MB/s of buffer`,
    });
  }
  return results;
}

/** Milliseconds of one, measured by the first member. */
async function allReduceMs(floats: number): Promise<number> {
  const ports = new Map(MEMBERS.map((member) => [member, new Map<string, NodeMessagePort>()]));
  for (const [at, member] of MEMBERS.entries()) {
    for (const other of MEMBERS.slice(at + 1)) {
      const { port1, port2 } = new NodeMessageChannel();
      ports.get(member)?.set(other, port1);
      ports.get(other)?.set(member, port2);
    }
  }
  const workers = MEMBERS.map((self) => {
    const own = ports.get(self) ?? new Map<string, NodeMessagePort>();
    const workerData: AllReduceRequest = { self, members: MEMBERS, floats, ports: own };
    return openThread(workerData, [...own.values()]);
  });
  try {
    const all = Promise.all(workers.map(async (worker) => (await once(worker, "message")) as [AllReduceResult]));
    const [first] = await withDeadline("bench all-reduce", all, systemClock, { deadlineMs: DEADLINE_MS });
    if (first === undefined) throw new DeadlineError("bench all-reduce: expected a result of each member, found none");
    return first[0].ms;
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
