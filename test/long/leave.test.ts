/** A tab of a real room leaves politely: the others take over what it holds, and no step is aborted, lost or done twice. */
import { expect, test } from "vitest";
import { buildApp } from "../../tools/build-app.ts";
import { parseOptions } from "../../tools/swarm/options.ts";
import { runSwarm } from "../../tools/swarm/run-swarm.ts";
import { ROOT } from "../../tools/swarm/server-process.ts";

const STEPS = 16;
const ARGS = `--run char-gpt --set width=16 --set heads=2 --set layers=1 --seed 5 --device wasm --tabs 3 --steps ${STEPS}`;
const TIMEOUT_MS = 240_000;

test(
  "a polite leave costs no step",
  async () => {
    process.env["NODE_ENV"] = "production"; // The app is built as it is served, not as under a test runner.
    await buildApp(ROOT);
    const options = parseOptions(`${ARGS} --leave 1@3`.split(" "));
    if (options === "help") return expect.fail("expected options");
    const { exitCode, lines } = await runSwarm(options);
    expect(exitCode).toBe(0);
    expect(lines.filter(({ type }) => type === "abort" || type === "rollback")).toEqual([]);
    const steps = lines.flatMap((line) => (line.type === "step" ? [line] : []));
    expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: STEPS }, (_, i) => i + 1));
    expect([steps[0]?.members.length, steps.at(-1)?.members.length]).toEqual([3, 2]);
    const gone = lines.flatMap((line) => (line.type === "member" && line.event !== "join" ? [line.event] : []));
    expect(gone).toEqual(["leave"]);
  },
  TIMEOUT_MS,
);
