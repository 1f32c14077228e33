/** The lines that `npm run bench` gives, and how people read them. */

export type Environment = "chromium-webgpu" | "node-webgpu" | "chromium-wasm" | "node-wasm";

/** One line of `--json`. */
export interface BenchResult {
  readonly name: string;
  readonly case: string;
  readonly environment: Environment;
  readonly unit: string;
  readonly better: "higher" | "lower";
  /** Null when it failed; `notes` says why, and the program's exit code is 1. */
  readonly ours: number | null;
  /** Null for a peer that failed or is not there; `notes` says why. */
  readonly peers: Readonly<Record<string, number | null>>;
  readonly notes: string;
}

/** What a benchmark of the host finds out by itself; the rest is added for all alike. */
export type Measured = Pick<BenchResult, "case" | "unit" | "better" | "notes"> &
  Partial<Pick<BenchResult, "peers">> & { readonly ours: number };

/** 3 significant digits. */
export function rounded(value: number): number {
  return Number(value.toPrecision(3));
}

/** A column for each peer, notes last. */
function cellsOf(results: readonly BenchResult[]): { header: string[]; rows: string[][] } {
  const peers = [...new Set(results.flatMap((result) => Object.keys(result.peers)))];
  const header = ["name", "case", "environment", "ours", ...peers, "unit", "better", "notes"];
  const rows = results.map((result) => [
    result.name,
    result.case,
    result.environment,
    figure(result.ours),
    ...peers.map((peer) => figure(result.peers[peer] ?? null)),
    result.unit,
    result.better,
    result.notes,
  ]);
  return { header, rows };
}

function figure(value: number | null): string {
  return value === null ? "-" : String(rounded(value));
}

export function tableOf(results: readonly BenchResult[]): string {
  const { header, rows } = cellsOf(results);
  const widths = header.map((title, i) => Math.max(title.length, ...rows.map((row) => (row[i] ?? "").length)));
  return [header, ...rows].map((row) => row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join("  ").trimEnd()).join("\n"); // prettier-ignore
}

export function markdownOf(results: readonly BenchResult[]): string {
  const { header, rows } = cellsOf(results);
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(header), line(header.map(() => "---")), ...rows.map(line)].join("\n");
}
