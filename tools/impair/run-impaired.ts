/** One room of real tabs whose WebRTC all goes by a TURN server, through a proxy that treats it as told. */
import { randomBytes } from "node:crypto";
import type { Clock } from "../../src/base/clock.ts";
import { Random } from "../../src/base/random.ts";
import type { RunLine, StepLine } from "../../src/network/wire/run-line.ts";
import type { SwarmOptions } from "../swarm/options.ts";
import type { ProcessGroups } from "../swarm/processes.ts";
import { runSwarm } from "../swarm/run-swarm.ts";
import { REAL_SERVER } from "../swarm/server-process.ts";
import { NO_IMPAIRMENT, type Treatment } from "./impairment.ts";
import { TurnServer } from "./turn-server.ts";
import { type ProxyCounts, UdpProxy } from "./udp-proxy.ts";

export interface ImpairedRun {
  readonly treatment: string;
  readonly isFinished: boolean;
  readonly reason: string;
  /** Its committed steps. */
  readonly steps: readonly StepLine[];
  /** From the first committed step to the last. */
  readonly stepsPerSecond: number;
  /** The longest step. */
  readonly stepMsMax: number;
  readonly aborts: number;
  readonly iceRestarts: number;
  /** For each pair, as both its sides counted them: over how many peer connections at once it went, at most. */
  readonly lanes: readonly number[];
  /** Pairs by how they are connected, at the last step. */
  readonly paths: Readonly<Record<string, number>>;
  readonly packets: ProxyCounts;
}

export interface ImpairedOptions {
  readonly treatment: Treatment;
  readonly swarm: SwarmOptions;
  readonly clock: Clock;
  readonly groups: ProcessGroups;
  readonly signal?: AbortSignal;
  readonly onNote: (text: string) => void;
  readonly prepare?: () => Promise<void>;
}

/** @throws UnsupportedError without coturn or a browser, and what `runSwarm` throws */
export async function runImpaired(options: ImpairedOptions): Promise<ImpairedRun> {
  const { swarm, clock } = options;
  const turn = await TurnServer.start(randomBytes(16).toString("hex"), clock);
  const random = new Random(swarm.seed, "proxy");
  const proxy = await UdpProxy.open({ serverPort: turn.port, clock, random });
  try {
    return await runThrough(proxy, turn, options);
  } finally {
    proxy.impair(NO_IMPAIRMENT);
    proxy.close();
    await turn.stop();
  }
}

async function runThrough(proxy: UdpProxy, turn: TurnServer, options: ImpairedOptions): Promise<ImpairedRun> {
  const { treatment, swarm, clock, groups, signal, onNote, prepare } = options;
  const times: number[] = [];
  const steps: StepLine[] = [];
  let cancelMend = (): void => {};
  proxy.impair(treatment.impairment);
  const strike = (): void => {
    if (treatment.changesPorts) proxy.changePorts();
    if (treatment.cutMs === 0) return;
    proxy.cut();
    cancelMend = clock.after(treatment.cutMs, () => proxy.mend());
  };
  const onLine = (line: RunLine): void => {
    if (line.type !== "step") return;
    steps.push(line);
    times.push(clock.nowMs());
    if (line.step === Math.floor(swarm.steps / 2)) strike();
  };
  const parameters = ["--turn", `turn:127.0.0.1:${proxy.port}?transport=udp`, "--turn-secret", turn.secret];
  const result = await runSwarm(
    { ...swarm, ice: ["relay"] },
    {
      onLine,
      onNote,
      groups,
      clock,
      server: { ...REAL_SERVER, parameters },
      ...(signal ? { signal } : {}),
      ...(prepare ? { prepare } : {}),
    },
  ).finally(() => cancelMend());
  const seconds = ((times.at(-1) ?? 0) - (times[0] ?? 0)) / 1_000;
  return {
    treatment: treatment.name,
    isFinished: result.exitCode === 0,
    reason: result.reason,
    steps,
    stepsPerSecond: seconds > 0 ? (steps.length - 1) / seconds : 0,
    stepMsMax: Math.max(0, ...steps.map(({ ms }) => ms)),
    aborts: result.lines.filter((line) => line.type === "abort").length,
    iceRestarts: result.tabs.reduce((sum, tab) => sum + tab.iceRestarts, 0),
    lanes: result.tabs.flatMap((tab) => tab.lanes),
    paths: result.summary.paths,
    packets: proxy.counts,
  };
}
