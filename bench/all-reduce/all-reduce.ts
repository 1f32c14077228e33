/**
 * All-reduce among 4 members: threads of Node over MessagePorts, and tabs of Chromium over WebRTC and MessagePorts. Bus
 * bandwidth is nccl-tests': the buffer's bytes by the time, times 2(n-1)/n, which is what each link of a ring carries.
 */
import { describeError } from "../../src/base/errors.ts";
import { median } from "../measure.ts";
import { rounded } from "../result.ts";
import type { Measured } from "../result.ts";
import { busBytes } from "./measure-member.ts";
import type { MemberRequest, MemberResult } from "./measure-member.ts";
import { BenchTabs } from "./tabs.ts";
import { measureThreads } from "./threads.ts";

const MEMBERS = ["a", "b", "c", "d"];
const SAMPLES = 5;
/** Each takes many seconds. */
const PEER_SAMPLES = 3;
const FLOATS = 4 * 1024 * 1024;

interface Case {
  readonly name: string;
  readonly request: MemberRequest;
}

const FRAME_BYTES = 64 * 1024;

const CASES: readonly Case[] = [
  caseOf("4 B", 1, undefined, 500),
  caseOf("440 kB", 110_000, undefined, 4),
  caseOf("16 MiB", FLOATS, undefined, 1),
  caseOf("16 MiB, ring", FLOATS, "ring", 1),
  caseOf("16 MiB, halving-doubling", FLOATS, "halving-doubling", 1),
  caseOf("16 MiB, double-tree", FLOATS, "double-tree", 1),
];

/** In a browser each takes seconds. */
const TAB_CASES: readonly Case[] = CASES.filter(({ name }) => ["4 B", "440 kB", "16 MiB, ring"].includes(name));

function caseOf(name: string, floats: number, algorithm: MemberRequest["algorithm"], repeats: number): Case {
  return { name, request: { floats, algorithm, repeats, samples: SAMPLES, rawFrameBytes: FRAME_BYTES } };
}

/** By threads of Node. */
export async function allReduceInThreads(): Promise<Measured[]> {
  const lines: Measured[] = [];
  for (const { name, request } of CASES) {
    lines.push(lineOf(name, "MessagePorts between threads", request, await measureThreads(MEMBERS, request)));
  }
  return lines;
}

/** By tabs of one Chromium. `peers`: PeerJS's own binary mode beside it. */
export async function allReduceInTabs(peers: boolean): Promise<Measured[]> {
  const tabs = await BenchTabs.open(MEMBERS);
  try {
    const lines: Measured[] = [];
    const on = `between tabs of Chromium ${tabs.version}`;
    for (const { name, request } of TAB_CASES) {
      const byWebRtc = lineOf(`${name}, WebRTC`, `WebRTC ${on}`, request, await tabs.measure("webrtc", request));
      const byPorts = lineOf(`${name}, ports`, `MessagePorts ${on}`, request, await tabs.measure("ports", request));
      const isCompared = peers && name === "16 MiB, ring";
      lines.push(isCompared ? await besidePeerJs(byWebRtc, tabs, request) : byWebRtc, byPorts);
      for (const line of lines.slice(-2)) console.error(`${line.case}: ${line.ours.toFixed(2)} ms; ${line.notes}`);
    }
    return lines;
  } finally {
    await tabs.close();
  }
}

/** A peer that fails is said to, and takes nothing else along. */
async function besidePeerJs(line: Measured, tabs: BenchTabs, { floats }: MemberRequest): Promise<Measured> {
  try {
    const ms = median(await tabs.measurePeerJs(floats, PEER_SAMPLES));
    const rate = busBytes(floats, MEMBERS.length) / 1e3 / ms;
    const notes = `${line.notes}; PeerJS's binary mode, median of ${PEER_SAMPLES}: bus bandwidth ${rate.toPrecision(3)} MB/s`;
    return { ...line, peers: { peerjs: rounded(ms) }, notes };
  } catch (error) {
    const [sentence = ""] = describeError(error).split("\n");
    return { ...line, peers: { peerjs: null }, notes: `${line.notes}; peerjs failed: ${sentence}` };
  }
}

/** Each sample is that of its slowest member. */
function lineOf(name: string, network: string, { floats }: MemberRequest, results: readonly MemberResult[]): Measured {
  const slowest = (pick: (result: MemberResult) => readonly number[]): number[] =>
    pick(results[0] as MemberResult).map((_, sample) =>
      Math.max(...results.map((result) => pick(result)[sample] ?? 0)),
    );
  const samples = { ms: slowest(({ ms }) => ms), rawMs: slowest(({ rawMs }) => rawMs), roundTripMs: slowest(({ roundTripMs }) => roundTripMs) }; // prettier-ignore
  const ms = median(samples.ms);
  const roundTripMs = median(samples.roundTripMs);
  const rate = (milliseconds: number): string => (busBytes(floats, MEMBERS.length) / 1e3 / milliseconds).toPrecision(3);
  const share = median(samples.ms.map((one, at) => (samples.rawMs[at] ?? 0) / one));
  const notes =
    floats === 1
      ? `${network}, ${(ms / roundTripMs).toFixed(1)} round trips of ${roundTripMs.toFixed(3)} ms`
      : `${network}, bus bandwidth ${rate(ms)} MB/s, ${(100 * share).toFixed(0)} % of the ${rate(median(samples.rawMs))} MB/s of the slowest bare channel of the ring, all at once`;
  return { case: `${name} among ${MEMBERS.length}`, unit: "ms", better: "lower", ours: ms, notes };
}
