import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { runCommand } from "../../../tools/house/command.ts";
import { addSuite } from "../../../tools/house/debian.ts";
import { readTotals, sumTotals, totalsLine } from "../../../tools/house/totals.ts";

const folder = mkdtempSync(join(tmpdir(), "hearth-house-"));
let count = 0;

afterAll(() => rmSync(folder, { recursive: true }));

function report(value: unknown): string {
  const path = join(folder, `report-${count++}.json`);
  writeFileSync(path, JSON.stringify(value));
  return path;
}

test("totals are the runner's own, todo counting as skipped", () => {
  const path = report({ numPassedTests: 5, numFailedTests: 2, numPendingTests: 1, numTodoTests: 1, testResults: [] });
  expect(readTotals(path, 1)).toEqual({ passed: 5, failed: 2, skipped: 2 });
});

test("a file that did not load is a failure, though it has no test that failed", () => {
  const testResults = [
    { status: "failed", assertionResults: [] },
    { status: "failed", assertionResults: [{ status: "passed" }, { status: "failed" }] },
    { status: "passed", assertionResults: [{ status: "passed" }] },
  ];
  const path = report({ numPassedTests: 2, numFailedTests: 1, numPendingTests: 0, testResults });
  expect(readTotals(path, 1).failed).toBe(2);
});

test("a runner that fails without saying why, or writes no report, has one failure", () => {
  const path = report({ numPassedTests: 5, numFailedTests: 0, numPendingTests: 0 });
  expect(readTotals(path, 1).failed).toBe(1);
  expect(readTotals(path, 0).failed).toBe(0);
  expect(readTotals(path, null).failed).toBe(1);
  expect(readTotals(join(folder, "none.json"), 1)).toEqual({ passed: 0, failed: 1, skipped: 0 });
});

test("the last line sums what all runners report", () => {
  const all = [
    { passed: 0, failed: 1, skipped: 0 },
    { passed: 120, failed: 0, skipped: 3 },
    { passed: 7, failed: 1, skipped: 0 },
  ];
  expect(totalsLine(sumTotals(all))).toBe("127 passed, 2 failed, 3 skipped");
});

test("a command's output and exit code are kept, and one that does not exist is a failure with a reason", async () => {
  const script = `console.log("out"); console.error("err"); process.exit(Number(process.env.CODE))`;
  const options = { isShown: false, environment: { CODE: "3" } };
  const { code, output } = await runCommand(process.execPath, ["-e", script], options);
  expect(code).toBe(3);
  expect(output.trim().split("\n").sort()).toEqual(["err", "out"]);
  const missing = await runCommand("/no/such/program", [], { isShown: false });
  expect(missing.code).not.toBe(0);
  expect(missing.output).toContain("/no/such/program");
});

function sources(files: Record<string, string>): string {
  const path = join(folder, `apt-${count++}`);
  mkdirSync(join(path, "sources.list.d"), { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
  return path;
}

test("backports are added from the mirror in use, whichever way it is written down, and only where they are absent", () => {
  const added = (files: Record<string, string>): string[] => {
    const path = sources(files);
    addSuite("bookworm-backports", path);
    const list = join(path, "sources.list.d");
    return readdirSync(list).map((name) => readFileSync(join(list, name), "utf8"));
  };
  const line = (mirror: string): string => `deb ${mirror} bookworm-backports main\n`;
  expect(added({ "sources.list": "deb http://mirror.example/debian bookworm main\n" })).toEqual([
    line("http://mirror.example/debian"),
  ]);
  const deb822 =
    "Types: deb\n# bookworm-backports\nURIs: http://deb.example/debian\nSuites: bookworm\nComponents: main\n";
  expect(new Set(added({ "sources.list.d/debian.sources": deb822 }))).toEqual(
    new Set([deb822, line("http://deb.example/debian")]),
  );
  expect(added({})).toEqual([line("http://deb.debian.org/debian")]);
  const present = "deb http://deb.example/debian bookworm-backports main\n";
  expect(added({ "sources.list.d/backports.list": present })).toEqual([present]);
});
