/** What a swarm came to: for the command line, for tests, and for longer trials that run many. */
import type { RunLine } from "../../src/network/wire/run-line.ts";
import type { RunSummary } from "./summary.ts";
import { impliedParameters, summarize } from "./summary.ts";
import type { TabState } from "./tab.ts";

/** 0 the last step, with equal digests; 1 not; 3 after `--kill all`. */
export type SwarmExit = 0 | 1 | 3;

export interface TabReport {
  readonly index: number;
  readonly peer: string | null;
  readonly state: TabState;
  /** Why it is gone. */
  readonly goneReason: string | null;
  /** Phase and note of the page, as it said them last. */
  readonly words: string;
  /** The kind of its device and why it is that one, as the page said last; null for a page that never said. */
  readonly engine: string | null;
  /** Errors of its console and page. */
  readonly trouble: readonly string[];
  /** Null for a page that never said. */
  readonly bytesSent: BytesSent | null;
  /** How often it looked for another path to a peer. */
  readonly iceRestarts: number;
  /** For each peer that it reached by WebRTC: over how many peer connections at once, at most. */
  readonly lanes: readonly number[];
}

/** Bytes that a tab sent to others, counted at the same moment. */
export interface BytesSent {
  /** By hearth: frames. */
  readonly byHearth: number;
  /** By the browser's `getStats()`: frames, and the links' own few words. */
  readonly byBrowser: number;
}

/** From what a page says of itself: "<hearth's>/<the browser's>". */
export function parseBytesSent(told: string | undefined): BytesSent | null {
  const [, byHearth, byBrowser] = /^(\d+)\/(\d+)$/.exec(told ?? "") ?? [];
  return byHearth === undefined ? null : { byHearth: Number(byHearth), byBrowser: Number(byBrowser) };
}

/** A line for each tab that said what it sent. */
export function describeBytesSent(tabs: readonly TabReport[]): string {
  const lines = tabs.flatMap(({ index, bytesSent }) => {
    if (bytesSent === null) return [];
    const { byHearth, byBrowser } = bytesSent;
    if (byBrowser === 0 && byHearth > 0) {
      return [
        `tab ${index}: bytes by hearth's own count: ${byHearth}, all by MessagePorts, which getStats() does not count`,
      ];
    }
    const ratio = byHearth > 0 ? ` (${(byBrowser / byHearth).toFixed(4)} of hearth's own count, ${byHearth})` : "";
    return [`tab ${index}: bytes by getStats(): ${byBrowser}${ratio}`];
  });
  return lines.map((line) => `  ${line}\n`).join("");
}

export interface SwarmResult {
  readonly exitCode: SwarmExit;
  /** One sentence. */
  readonly reason: string;
  /** Of this part of the run: what `--json` holds. */
  readonly lines: readonly RunLine[];
  /** Of the whole run, earlier parts included. */
  readonly summary: RunSummary;
  /** Number of parameters that the summary's closed forms use, and who says so. */
  readonly parameters: string;
  /** From opening the first tab. */
  readonly wallMs: number;
  /** Where everything is kept; null when it was temporary and is gone. */
  readonly directory: string | null;
  readonly url: string;
  readonly tabs: readonly TabReport[];
  /** What people were told, in order. */
  readonly notes: readonly string[];
}

/** The exit code and sentence that a run's lines deserve once its `end` line is there. */
export function judgeEnd(lines: readonly RunLine[], steps: number): { exitCode: SwarmExit; reason: string } {
  const summary = summarize(lines, null);
  const end = lines.find((line) => line.type === "end");
  if (!end) return { exitCode: 1, reason: `step ${summary.steps} of ${steps} was the last that was committed` };
  if (end.steps !== steps || summary.steps !== steps) {
    return {
      exitCode: 1,
      reason: `the run ended at step ${end.steps}, the last line is step ${summary.steps} of ${steps}`,
    };
  }
  if (summary.unequalDigests.length > 0) {
    return { exitCode: 1, reason: `devices hold different parameters: ${summary.unequalDigests.join(", ")}` };
  }
  if (summary.endDigests === 0) return { exitCode: 1, reason: "the end came without a digest of any device" };
  return {
    exitCode: 0,
    reason: `all ${steps} steps are committed, the digests of ${summary.endDigests} tabs are equal`,
  };
}

/** The summary of a run whose pages may or may not have said how many parameters they train. */
export function summarizeRun(
  lines: readonly RunLine[],
  told: number | null,
): { readonly summary: RunSummary; readonly parameters: string } {
  if (told !== null) return { summary: summarize(lines, told), parameters: `P = ${told}` };
  const implied = impliedParameters(summarize(lines, null).traffic);
  const parameters = implied === null ? "P unknown" : `P = ${implied} (as the replicas imply)`;
  return { summary: summarize(lines, implied), parameters };
}
