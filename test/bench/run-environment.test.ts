import { expect, test } from "vitest";
import { UnsupportedError } from "../../src/base/errors.ts";
import { failure } from "../../bench/environments/case-report.ts";
import type { CaseReport, CaseRequest, Stage } from "../../bench/environments/case-report.ts";
import type { Host } from "../../bench/environments/host.ts";
import { runEnvironment } from "../../bench/environments/run-environment.ts";

const REQUESTS: CaseRequest[] = [0, 1].map((index) => ({ name: "matmul", index, libraries: ["hearth", "a", "b"] }));
const done = { ms: 1, samples: 5, steps: 1, notes: [], error: null };

/** Hosts whose libraries do what `behave` says: end well, hang, or take the host along. */
async function play(behave: (library: string, index: number) => "well" | "hang" | "crash" | "fail") {
  const reports: CaseReport[] = [];
  let [opened, closed] = [0, 0];
  const run = async ({ libraries, index }: CaseRequest, onStage: (stage: Stage) => void): Promise<CaseReport> => {
    for (const library of libraries) {
      onStage({ library, doing: "timing" });
      const fate = behave(library, index);
      if (fate === "hang") await new Promise(() => {});
      if (fate === "crash") throw new UnsupportedError("the process ended with SIGSEGV");
    }
    const failed = libraries.filter((library) => behave(library, index) === "fail");
    return Object.fromEntries([
      ...failed.map((library) => [library, failure("timing: it threw")]),
      ...libraries.filter((library) => !failed.includes(library)).map((library) => [library, done]),
    ]) as CaseReport;
  };
  const open = async (): Promise<Host> => {
    opened += 1;
    const close = async (): Promise<void> => void (closed += 1);
    return { deviceName: "fake", measureCeilings: async () => [{ name: "copy", unit: "GB/s", value: 1 }], run, close };
  };
  const onReport = (_: CaseRequest, report: CaseReport): void => void reports.push(report);
  const report = await runEnvironment({ open, requests: REQUESTS, onReport, silenceMsMax: 30 });
  return { report, reports, opened, closed };
}

test("one host runs all cases, and is closed", async () => {
  const { report, reports, opened, closed } = await play(() => "well");
  expect(report).toEqual({ deviceName: "fake", ceilings: [{ name: "copy", unit: "GB/s", value: 1 }] });
  expect(reports).toEqual([{ hearth: done, a: done, b: done }, { hearth: done, a: done, b: done }]); // prettier-ignore
  expect([opened, closed]).toEqual([1, 1]);
});

test("a library that hangs is named, and the case goes on without it in a new host", async () => {
  const { reports, opened, closed } = await play((library, index) =>
    library === "a" && index === 0 ? "hang" : "well",
  );
  expect(reports[0]).toMatchObject({
    hearth: done,
    a: { ms: null, error: "timing: no end within 0.03 s (deadline)" },
    b: done,
  });
  expect(Object.keys(reports[0] ?? {})).toEqual(["hearth", "a", "b"]);
  expect(reports[1]).toEqual({ hearth: done, a: done, b: done });
  expect([opened, closed]).toEqual([2, 2]);
});

test("a library that takes its host along every time costs a host each time, and no other library its figure", async () => {
  const { reports, opened, closed } = await play((library) => (library === "b" ? "crash" : "well"));
  for (const report of reports) {
    expect(report).toMatchObject({
      hearth: done,
      a: done,
      b: { ms: null, error: "timing: the process ended with SIGSEGV (unsupported)" },
    });
  }
  expect([opened, closed]).toEqual([3, 3]);
});

test("after a failure the next case has a new host", async () => {
  const { reports, opened } = await play((library, index) => (library === "a" && index === 0 ? "fail" : "well"));
  expect(reports[0]).toMatchObject({ hearth: done, a: { ms: null, error: "timing: it threw" }, b: done });
  expect(reports[1]).toEqual({ hearth: done, a: done, b: done });
  expect(opened).toBe(2);
});

test("where several fail, the others try again without the first, in a new host each time", async () => {
  let isDeviceThere = true;
  const { reports, opened } = await play((library, index) => {
    if (index === 1) return "well";
    if (library === "hearth") isDeviceThere = true;
    if (library === "a") isDeviceThere = false;
    return library === "a" || !isDeviceThere ? "fail" : "well";
  });
  expect(reports[0]).toMatchObject({ hearth: done, a: { ms: null }, b: done });
  expect(reports[1]).toEqual({ hearth: done, a: done, b: done });
  expect(opened).toBe(2);
});

test("when all fail there is a report all the same", async () => {
  const { reports } = await play(() => "crash");
  expect(reports.map((report) => Object.values(report).map(({ ms }) => ms))).toEqual([[null, null, null], [null, null, null]]); // prettier-ignore
});
