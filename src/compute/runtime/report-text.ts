/** Reports as text, for a terminal: a line a kernel, figures first and names last, so that both are read at a glance. */
import type { GraphReport, KernelReport, PlanReport } from "./plan-report.ts";

/** What the text of a report has besides its table. */
export interface ReportTextOptions {
  /** The WGSL of every kernel below the table. */
  readonly sources?: boolean;
}

/** The plans of one function, one after another. */
export function reportText(plans: readonly PlanReport[], options: ReportTextOptions = {}): string {
  return plans.map((plan, i) => planText(plan, i, options)).join("\n\n");
}

const HEADINGS = ["", "invocations", "bytes", "operations", "ms", "share", "GB/s", "GFLOP/s", "kernel"];
const NONE = "-";

function planText(plan: PlanReport, number: number, { sources = false }: ReportTextOptions): string {
  const { kernels, graph, scratchBytes } = plan;
  const totalMs = totalMsOf(kernels);
  const sum = (figure: (kernel: KernelReport) => number): number => kernels.reduce((to, at) => to + figure(at), 0);
  const facts = [
    plural(kernels.length, "kernel"),
    ...(totalMs === null ? [] : [`${threeDigits(totalMs)} ms`]),
    `${scaled(
      sum(({ readBytes }) => readBytes),
      "B",
    )} read`,
    `${scaled(
      sum(({ writtenBytes }) => writtenBytes),
      "B",
    )} written`,
    `${scaled(
      sum(({ operations }) => operations),
      "FLOP",
    )}`,
    `${scaled(scratchBytes, "B")} in between`,
  ];
  const rows = kernels.map((kernel, step) => rowOf(kernel, step, totalMs));
  const parts = [
    `plan ${number}: ${facts.join(", ")}`,
    graphText(graph.before, graph.after),
    table([HEADINGS, ...rows]),
  ];
  if (sources) parts.push(...kernels.map(({ name, source }, step) => `// ${step}: ${name}\n${source.trimEnd()}`));
  return parts.join("\n\n");
}

function graphText(before: GraphReport, after: GraphReport): string {
  const count = (isCounted: (node: GraphReport["nodes"][number]) => boolean): number =>
    after.nodes.filter(isCounted).length;
  const leaves = count(({ kind }) => kind === "buffer");
  const stored = count(({ kind, isStored }) => isStored && kind !== "buffer");
  const inside = count(({ isStored, kernels }) => !isStored && kernels.length > 0);
  const again = count(({ kernels }) => kernels.length > 1);
  return [
    `graph before: ${plural(before.nodes.length, "node")}`,
    `graph after: ${plural(after.nodes.length, "node")}: ${leaves} in memory, ${stored} stored by kernels, ${inside} computed inside of them (${again} by several)`,
  ].join("\n");
}

function rowOf(kernel: KernelReport, step: number, totalMs: number | null): string[] {
  const { name, invocations, readBytes, writtenBytes, operations, ms } = kernel;
  const bytes = readBytes + writtenBytes;
  // A clock that ticks coarsely gives 0 for a short kernel: no rate to tell.
  const rate = (figure: number): string => (ms === null || ms <= 0 ? NONE : threeDigits(figure / ms / 1e6));
  const share = ms === null || !totalMs ? NONE : `${((100 * ms) / totalMs).toFixed(1)}%`;
  return [
    String(step),
    String(invocations),
    scaled(bytes),
    scaled(operations),
    ms === null ? NONE : threeDigits(ms),
    share,
    rate(bytes),
    rate(operations),
    name,
  ];
}

/** Milliseconds of all kernels together; null where none has been measured. */
function totalMsOf(kernels: readonly KernelReport[]): number | null {
  const known = kernels.map(({ ms }) => ms).filter((ms) => ms !== null);
  return known.length === 0 ? null : known.reduce((sum, ms) => sum + ms, 0);
}

/** Columns of one width, numbers to the right; the last one as it is. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const last = HEADINGS.length - 1;
  const line = (row: readonly string[]): string =>
    row.map((cell, column) => (column === last ? cell : cell.padStart(widths[column] ?? 0))).join("  ");
  return rows.map(line).join("\n");
}

const PREFIXES = ["", "k", "M", "G", "T"];

/** 1_234_567 -> "1.23 M"; with the unit "B", "1.23 MB". */
function scaled(value: number, unit: string = ""): string {
  let left = value;
  let power = 0;
  while (left >= 999.5 && power < PREFIXES.length - 1) {
    left /= 1000;
    power += 1;
  }
  return `${power === 0 ? Math.round(left) : threeDigits(left)} ${PREFIXES[power]}${unit}`.trimEnd();
}

function threeDigits(value: number): string {
  return value.toFixed(value < 0.9995 ? 3 : value < 9.995 ? 2 : value < 99.95 ? 1 : 0);
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
