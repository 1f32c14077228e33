/**
 * All cases in one environment. A library that never comes back, or takes its host along, is named and left out; the
 * case goes on without it in a new host.
 */
import { systemClock } from "../../src/base/clock.ts";
import type { Clock } from "../../src/base/clock.ts";
import { DeadlineError, describeError } from "../../src/base/errors.ts";
import type { Ceiling } from "../ceilings/measure-ceilings.ts";
import { failure, inOrder } from "./case-report.ts";
import type { CaseReport, CaseRequest, LibraryReport, Stage } from "./case-report.ts";
import type { Host } from "./host.ts";

export interface EnvironmentReport {
  readonly deviceName: string;
  /** Empty when they could not be measured. */
  readonly ceilings: readonly Ceiling[];
}

export interface EnvironmentOptions {
  readonly open: () => Promise<Host>;
  readonly requests: readonly CaseRequest[];
  readonly onReport: (request: CaseRequest, report: CaseReport) => void;
  /** Without a word from the host: its first compilation of a large step may take minutes on a busy machine. */
  readonly silenceMsMax?: number;
  readonly clock?: Clock;
}

const SILENCE_MS_MAX = 240_000;

/** @throws what `open` throws the first time */
export async function runEnvironment(options: EnvironmentOptions): Promise<EnvironmentReport> {
  const { requests, onReport, open } = options;
  let host: Host | null = await open();
  try {
    const { deviceName } = host;
    const { result: ceilings } = await watched(options, (running) => running.measureCeilings(), host);
    if (!ceilings) host = await replace(host);
    for (const request of requests) {
      const { report, host: next } = await runCase(options, request, host ?? (await open()));
      host = next;
      onReport(request, report);
    }
    return { deviceName, ceilings: ceilings ?? [] };
  } finally {
    await host?.close();
  }
}

async function replace(host: Host): Promise<null> {
  await host.close();
  return null;
}

async function runCase(
  options: EnvironmentOptions,
  request: CaseRequest,
  first: Host,
): Promise<{ report: CaseReport; host: Host | null }> {
  const lost: Record<string, LibraryReport> = {};
  let host: Host | null = first;
  for (;;) {
    const libraries = request.libraries.filter((library) => lost[library] === undefined);
    if (libraries.length === 0) return { report: inOrder(request.libraries, lost), host };
    host ??= await options.open();
    const { result, stage, reason } = await watched(
      options,
      (running, onStage) => running.run({ ...request, libraries }, onStage),
      host,
    );
    const failed = Object.entries(result ?? {}).filter(([, { error }]) => error !== null);
    // What failed may have left the device in any state, or none: whatever comes next gets a new host.
    if (!result || failed.length > 0) host = await replace(host);
    // The first to fail may have been the end of the others too.
    if (result && failed.length < 2) return { report: inOrder(request.libraries, { ...result, ...lost }), host };
    const [culprit, blame] = failed[0] ?? [stage?.library ?? libraries[0] ?? "", failure(`${stage?.doing ?? "start"}: ${reason}`)]; // prettier-ignore
    lost[culprit] = blame;
  }
}

interface Watched<Result> {
  /** Null when the host is to be given up, for `reason` in `stage`. */
  readonly result: Result | null;
  readonly stage: Stage | null;
  readonly reason: string;
}

/** `work`, as long as the host says something now and then. */
async function watched<Result>(
  { silenceMsMax = SILENCE_MS_MAX, clock = systemClock }: EnvironmentOptions,
  work: (host: Host, onStage: (stage: Stage) => void) => Promise<Result>,
  host: Host,
): Promise<Watched<Result>> {
  let stage: Stage | null = null;
  let cancel = (): void => {};
  let giveUp: (error: Error) => void = () => {};
  const silence = new Promise<never>((_, reject) => (giveUp = reject));
  const onStage = (said: Stage | null): void => {
    stage = said;
    cancel();
    cancel = clock.after(silenceMsMax, () => giveUp(new DeadlineError(`no end within ${silenceMsMax / 1000} s`)));
  };
  onStage(null);
  try {
    return { result: await Promise.race([work(host, onStage), silence]), stage, reason: "" };
  } catch (error) {
    return { result: null, stage, reason: describeError(error) };
  } finally {
    cancel();
  }
}
