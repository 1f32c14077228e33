/** The page of a training tab stays responsive, and the tool that says so can tell when it does not. */
import { execFile } from "node:child_process";
import { expect, test } from "vitest";
import { mainThreadTasks, type TraceEvent } from "../../tools/trace/main-thread.ts";
import { ROOT } from "../../tools/swarm/server-process.ts";

const PAGE = { pid: 7, tid: 1 };
const STAMP = "here";

function event(name: string, ts: number, ms: number, where: { pid: number; tid: number } = PAGE): TraceEvent {
  return { name, ph: "X", ts, dur: 2000 * ms, tdur: 1000 * ms, args: {}, ...where };
}

function thread(name: string, where: { pid: number; tid: number }): TraceEvent {
  return { name: "thread_name", ph: "M", ts: 0, args: { name }, ...where };
}

const trace: readonly TraceEvent[] = [
  thread("CrRendererMain", PAGE),
  thread("CrRendererMain", { pid: 8, tid: 1 }),
  thread("DedicatedWorker thread", { pid: 7, tid: 2 }),
  { name: "TimeStamp", ph: "I", ts: 1, args: { data: { message: STAMP } }, ...PAGE },
  event("ThreadControllerImpl::RunTask", 0, 20),
  event("RunTask", 100_000, 60),
  event("RunTask", 110_000, 30), // Inside the one before.
  { ...event("FunctionCall", 105_000, 51), args: { data: { functionName: "drawLoss" } } },
  event("RunTask", 0, 900, { pid: 7, tid: 2 }), // The engine worker computes as long as it likes,
  event("RunTask", 0, 900, { pid: 8, tid: 1 }), // and so may other pages.
];

test("tasks of the stamped page's main thread are measured by CPU time, and their handlers named", () => {
  expect(mainThreadTasks(trace, STAMP)).toEqual([
    { cpuMs: 60, wallMs: 120, parts: ["FunctionCall drawLoss 51.0 ms"] },
    { cpuMs: 20, wallMs: 40, parts: [] },
  ]);
  expect(() => mainThreadTasks(trace, "nowhere")).toThrow(
    'trace: expected one page with the stamp "nowhere", found none',
  );
});

test("no task of the page takes 50 ms of CPU time while its tab trains", async () => {
  const args = ["--import", import.meta.resolve("tsx"), "tools/trace.ts", "--steps", "5", "--device", "reference"];
  // The app is built as it is served, not as under a test runner.
  const env = { ...process.env, NODE_ENV: "production" };
  const { code, out, said } = await new Promise<{ code: number | string; out: string; said: string }>((resolve) => {
    execFile(process.execPath, args, { cwd: ROOT, env }, (error, out, said) =>
      resolve({ code: error?.code ?? 0, out, said }),
    );
  });
  console.log(out);
  expect({ code, said: code === 0 ? "" : said }).toEqual({ code: 0, said: "" });
  expect(out).toMatch(/^[1-4] steps in .* ran [1-9]\d* tasks/);
  expect(out).toMatch(/^tasks over 50 ms of CPU time: 0$/m);
}, 120_000);
