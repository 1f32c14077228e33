/** Processor time of the main thread alone: what other threads do, and what other programs take, is not in it. */
import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";

/** Milliseconds so far; where the system does not tell of threads, how long the event loop was busy. */
export function threadCpuMs(): number {
  try {
    const [ns = ""] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, "utf8").split(" ");
    return Number(ns) / 1e6;
  } catch {
    return performance.eventLoopUtilization().active;
  }
}
