/** What became of kernels that were checked: lines of a file that tests append to, and what they say together. */

/** What became of one kernel on one device. */
export interface KernelFate {
  /** The device. */
  readonly on: string;
  readonly kernel: string;
  /** Why it was not run; null where it was. */
  readonly leftOut: "large" | "subgroups" | null;
  /** Elements that it may write. */
  readonly elements: number;
  /** Of them with the interpreter's bits. */
  readonly sameBits: number;
  /** Of the others: those of known error bounds, and the largest part of its bound that one is away. */
  readonly bounded: number;
  readonly worstRatio: number;
}

/** Of one device. */
export interface FateSummary {
  readonly on: string;
  readonly kernels: number;
  /** Of them with no other bit than the interpreter's. */
  readonly sameKernels: number;
  readonly large: number;
  readonly subgroups: number;
  readonly elements: number;
  readonly sameBits: number;
  readonly bounded: number;
  readonly worst: { readonly ratio: number; readonly kernel: string };
}

/** By device, in the order of their names. */
export function summarizeFates(fates: readonly KernelFate[]): FateSummary[] {
  const names = [...new Set(fates.map(({ on }) => on))].sort();
  return names.map((on) => {
    const own = fates.filter((fate) => fate.on === on);
    const run = own.filter(({ leftOut }) => leftOut === null);
    const sum = (count: (fate: KernelFate) => number): number => run.reduce((total, fate) => total + count(fate), 0);
    const [worst] = run.toSorted((a, b) => b.worstRatio - a.worstRatio);
    return {
      on,
      kernels: run.length,
      sameKernels: run.filter(({ elements, sameBits }) => elements === sameBits).length,
      large: own.filter(({ leftOut }) => leftOut === "large").length,
      subgroups: own.filter(({ leftOut }) => leftOut === "subgroups").length,
      elements: sum(({ elements }) => elements),
      sameBits: sum(({ sameBits }) => sameBits),
      bounded: sum(({ bounded }) => bounded),
      worst: { ratio: worst?.worstRatio ?? 0, kernel: worst?.kernel ?? "none" },
    };
  });
}

/** One sentence for people. */
export function describeFates(summary: FateSummary): string {
  const { on, kernels, sameKernels, large, subgroups, elements, sameBits, bounded, worst } = summary;
  const share = elements === 0 ? 100 : (sameBits / elements) * 100;
  const others = `${bounded} of the ${elements - sameBits} others against error bounds, at worst ${worst.ratio.toPrecision(2)} of one (${worst.kernel})`;
  return (
    `${on}: ${kernels} kernels equal the interpreter's answer, ${sameKernels} of them to the bit; ` +
    `${share.toFixed(2)} % of ${elements} elements have the same bits, ${others}; ` +
    `left out: ${subgroups} with other subgroups, ${large} that would take the interpreter too long`
  );
}
