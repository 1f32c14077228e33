/**
 * Faults of the command line: what `--kill 2@20` means, whether a list of them can happen, and when each one does.
 * Pure; `fault-runner.ts` carries them out.
 */
import { OptionError } from "../../src/base/errors.ts";
import { Random } from "../../src/base/random.ts";

/** One injected failure. Tabs count from 0; `step` is the step that it happens in. */
export type Fault =
  | { readonly kind: "kill" | "leave"; readonly tab: number; readonly step: number }
  | { readonly kind: "freeze"; readonly tab: number; readonly step: number; readonly seconds: number }
  | { readonly kind: "join"; readonly count: number; readonly step: number }
  | { readonly kind: "kill-gpu" | "kill-server" | "kill-all"; readonly step: number };

/** The options that inject faults. */
export const FAULT_FLAGS = ["kill", "leave", "freeze", "join"] as const;
export type FaultFlag = (typeof FAULT_FLAGS)[number];

const FORMS: Readonly<Record<FaultFlag, string>> = {
  kill: "I@S, gpu@S, server@S or all@S",
  leave: "I@S",
  freeze: "I@S:SECONDS",
  join: "N@S",
};

const TABS_MAX = 256;
const STEP_MAX = 1_000_000;
const SECONDS_MAX = 3_600;
/** A step time to go by before the first step is committed. */
const STEP_MS_UNKNOWN = 1_000;
/** Moments stay off a step's edges, so that an ordinary step is still running. */
const FRACTION_MIN = 0.02;
const FRACTION_MAX = 0.95;

/** The fault that `--flag value` asks for. @throws OptionError */
export function parseFault(flag: FaultFlag, value: string): Fault {
  const refuse = (): never => {
    throw new OptionError(`--${flag}: expected ${FORMS[flag]}, found "${value}"`);
  };
  const pattern = flag === "freeze" ? /^(\d+)@(\d+):(\d+(?:\.\d+)?)$/ : /^(\d+|gpu|server|all)@(\d+)$/;
  const [, who = "", at = "", duration = ""] = pattern.exec(value) ?? refuse();
  const step = Number(at);
  if (step < 1 || step > STEP_MAX) refuse();
  if (who === "gpu" || who === "server" || who === "all")
    return flag === "kill" ? { kind: `kill-${who}`, step } : refuse();
  const number = Number(who);
  if (number > TABS_MAX) refuse();
  if (flag === "join") return number >= 1 ? { kind: "join", count: number, step } : refuse();
  if (flag !== "freeze") return { kind: flag, tab: number, step };
  const seconds = Number(duration);
  return seconds > 0 && seconds <= SECONDS_MAX ? { kind: "freeze", tab: number, step, seconds } : refuse();
}

/** The option that asks for `fault`: how it is named to people, and remembered between a run and its resumption. */
export function faultText(fault: Fault): string {
  switch (fault.kind) {
    case "kill":
    case "leave":
      return `--${fault.kind} ${fault.tab}@${fault.step}`;
    case "freeze":
      return `--freeze ${fault.tab}@${fault.step}:${fault.seconds}`;
    case "join":
      return `--join ${fault.count}@${fault.step}`;
    case "kill-gpu":
      return `--kill gpu@${fault.step}`;
    case "kill-server":
      return `--kill server@${fault.step}`;
    case "kill-all":
      return `--kill all@${fault.step}`;
  }
}

/**
 * Refuses faults that cannot happen: past the last step, or to a tab that is not there by then.
 * @throws OptionError that names the first of them
 */
export function checkFaults(faults: readonly Fault[], tabs: number, steps: number): void {
  const goneAt = new Map<number, number>();
  const inOrder = [...faults].sort((a, b) => a.step - b.step);
  for (const fault of inOrder) {
    if (fault.step > steps) {
      throw new OptionError(`${faultText(fault)}: expected a step from 1 to ${steps}, found ${fault.step}`);
    }
    if (!("tab" in fault)) continue;
    const joined = inOrder.flatMap((other) => (other.kind === "join" && other.step < fault.step ? [other.count] : []));
    const there = joined.reduce((sum, count) => sum + count, tabs);
    if (fault.tab >= there) {
      throw new OptionError(`${faultText(fault)}: expected a tab from 0 to ${there - 1}, found ${fault.tab}`);
    }
    const gone = goneAt.get(fault.tab);
    if (gone !== undefined) {
      throw new OptionError(`${faultText(fault)}: tab ${fault.tab} is gone by then, since step ${gone}`);
    }
    if (fault.kind !== "freeze") goneAt.set(fault.tab, fault.step);
  }
}

/** `faults` without those in `done`, each entry of which takes away one fault of the same text. */
export function withoutDone(
  faults: readonly Fault[],
  done: readonly string[],
): { readonly fault: Fault; readonly index: number }[] {
  const left = [...done];
  return faults
    .map((fault, index) => ({ fault, index }))
    .filter(({ fault }) => {
      const at = left.indexOf(faultText(fault));
      if (at >= 0) left.splice(at, 1);
      return at < 0;
    });
}

/**
 * How long after its step began the fault strikes, in milliseconds: a fraction of the median of `recentMs`, the last
 * steps' times, that is a function of the seed and the fault's place in the command line.
 */
export function faultDelayMs(seed: number, index: number, recentMs: readonly number[]): number {
  const sorted = [...recentMs].sort((a, b) => a - b);
  const stepMs = sorted[Math.floor(sorted.length / 2)] ?? STEP_MS_UNKNOWN;
  const fraction = FRACTION_MIN + (FRACTION_MAX - FRACTION_MIN) * new Random(seed, "fault", index).uniform();
  return fraction * stepMs;
}
