/**
 * What of the gradients' communication is hidden behind the backward pass: two members train a GPT, each on a processor of
 * its own, over a link that is shaped so that communication takes as long as computation.
 */
import { median } from "../measure.ts";
import type { Measured } from "../result.ts";
import { computedMsOf, hiddenShareOf, Pair } from "./pair.ts";

/** Steps differ by a fifth on two cores: more of them than elsewhere. */
const SAMPLES = 15;
/** Of which the link takes its bandwidth. */
const LINK_STEPS = 5;

/** One step of both, in milliseconds since they began. */
interface PairStep {
  /** When the slower one's slot was done. */
  readonly computedMs: number;
  /** What was left of the gradients' communication then: waiting for the slower one is none. */
  readonly exposedMs: number;
  readonly stepMs: number;
  readonly hiddenShare: number;
}

/** In percent of the gradients' communication. */
export async function overlap(): Promise<Measured[]> {
  const pair = await Pair.open();
  try {
    return [
      await share(pair, 2, "gradients and parameters together take as long as computation"),
      await share(pair, 1, "gradients alone take as long as computation"),
    ];
  } finally {
    await pair.close();
  }
}

/**
 * Steps with and without overlap take turns, and the link keeps to what computation took in the last steps, the median of
 * them: in that time it carries `halves` of the parameters' bytes each way.
 */
async function share(pair: Pair, halves: number, what: string): Promise<Measured> {
  const [apart, beside]: [PairStep[], PairStep[]] = [[], []];
  const computed: number[] = [];
  while (computed.length < LINK_STEPS) computed.push((await stepOf(pair, true, Infinity)).computedMs);
  for (let sample = 0; sample < SAMPLES; sample++) {
    const bytesPerMs = pair.bandwidthFor(halves, median(computed.slice(-LINK_STEPS)));
    apart.push(await stepOf(pair, false, bytesPerMs));
    const one = await stepOf(pair, true, bytesPerMs);
    beside.push(one);
    computed.push(one.computedMs);
  }
  const of = (steps: readonly PairStep[], name: keyof PairStep): number => median(steps.map((step) => step[name]));
  const hidden = apart.map((step, at) => 100 * (1 - (beside[at]?.exposedMs ?? 0) / step.exposedMs));
  const ms = (value: number): string => `${value.toFixed(0)} ms`;
  const left = `of ${ms(of(apart, "exposedMs"))} that gradients take after computation ${ms(of(beside, "exposedMs"))} are left`;
  const steps = `steps ${ms(of(apart, "stepMs"))} and ${ms(of(beside, "stepMs"))}`;
  const shown = `the trace has ${(100 * of(beside, "hiddenShare")).toFixed(0)}% of the time of their operations beside computation`;
  return {
    case: `char-gpt of ${pair.parameters} parameters, 2 members: ${what}`,
    unit: "% of the gradients' communication hidden",
    better: "higher",
    ours: median(hidden),
    notes: `computation ${ms(of(beside, "computedMs"))}; ${left}, medians of ${SAMPLES} (${hidden.map((part) => `${part.toFixed(0)}%`).join(", ")}); ${steps}; ${shown}`,
  };
}

async function stepOf(pair: Pair, overlaps: boolean, bytesPerMs: number): Promise<PairStep> {
  const members = await pair.step({ overlaps }, bytesPerMs);
  const latest = (name: "reducedMs" | "stepMs"): number => Math.max(...members.map((member) => member[name]));
  return {
    computedMs: computedMsOf(members),
    exposedMs: Math.max(0, latest("reducedMs") - computedMsOf(members)),
    stepMs: latest("stepMs"),
    hiddenShare: hiddenShareOf(members),
  };
}
