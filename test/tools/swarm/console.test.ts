import { expect, test } from "vitest";
import { SwarmConsole } from "../../../tools/swarm/console.ts";
import type { Progress } from "../../../tools/swarm/progress.ts";

function progressAt(step: number): Progress {
  return { step, steps: 60, loss: 3, stepsPerSecond: 2, members: 4, leftMs: 1_000, note: "" };
}

/** What a terminal of 80 columns shows, its history of writes and a clock to move. */
function terminal(isTTY: boolean): { writes: string[]; time: { nowMs: number }; view: SwarmConsole } {
  const writes: string[] = [];
  const time = { nowMs: 0 };
  const write = (text: string | Uint8Array): boolean => writes.push(String(text)) > 0;
  return { writes, time, view: new SwarmConsole({ write, isTTY, columns: 80 }, () => time.nowMs) };
}

test("a terminal gets one bar that is drawn anew, and sentences above it", () => {
  const { writes, time, view } = terminal(true);
  view.progress(progressAt(12));
  view.progress(progressAt(13)); // Too soon after the last.
  time.nowMs = 200;
  view.progress(progressAt(14));
  view.line({ type: "rollback", to: 10 });
  view.clear();
  const bars = writes.filter((text) => text.includes("#"));
  expect(bars.map((text) => / (\d+)\/60 /.exec(text)?.[1])).toEqual(["12", "14", "14"]);
  expect(writes).toContain("rolled back to step 10\n");
  expect(writes.at(-1)).toBe("\r\u001b[2K");
});

test("elsewhere there is a plain line now and then, and one at the end", () => {
  const { writes, time, view } = terminal(false);
  for (let step = 1; step <= 60; step++) {
    time.nowMs = step * 500;
    view.progress(progressAt(step));
  }
  view.clear();
  expect(writes.map((text) => text.split("/")[0])).toEqual(["1", "21", "41", "60"]);
  for (const text of writes) expect(/[\r#]/.test(text)).toBe(false);
});

test("people hear of members, aborts and checkpoints, and not of each step", () => {
  const { writes, view } = terminal(false);
  view.line({ type: "member", event: "lost", peer: "tab-a", step: 3, reason: "silent for 6 s" });
  view.line({ type: "abort", step: 4, reason: "tab-a was lost" });
  view.line({ type: "checkpoint", step: 5, generation: 1, ms: 9, copies: 1, digests: {}, errors: { "tab-b": "full" } });
  view.line({ type: "fault", kind: "kill", step: 4 });
  expect(writes).toEqual([
    "step 3: tab-a was lost (silent for 6 s)\n",
    "step 4: aborted, tab-a was lost\n",
    "checkpoint of step 5, 1 copy; tab-b: full\n",
  ]);
});
