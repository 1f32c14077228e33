/** The lines that `npm run bench` gives, and how people read them. */

export type Environment = "chromium-webgpu" | "node-webgpu" | "chromium-wasm" | "node-wasm";

/** One line of `--json`. */
export interface BenchResult {
  readonly name: string;
  readonly case: string;
  readonly environment: Environment;
  readonly unit: string;
  readonly better: "higher" | "lower";
  readonly ours: number;
  /** Null for a peer that failed or is not there; `notes` says why. */
  readonly peers: Readonly<Record<string, number | null>>;
  readonly notes: string;
}

/** What a benchmark finds out by itself; the rest is added for all alike. */
export type Measured = Pick<BenchResult, "case" | "unit" | "better" | "ours" | "notes">;

/** 3 significant digits. */
export function rounded(value: number): number {
  return Number(value.toPrecision(3));
}

export function tableOf(results: readonly BenchResult[]): string {
  const header = ["name", "case", "environment", "ours", "unit", "better", "peers", "notes"];
  const rows = results.map((result) => [
    result.name,
    result.case,
    result.environment,
    String(rounded(result.ours)),
    result.unit,
    result.better,
    Object.entries(result.peers).map(([peer, value]) => `${peer} ${value ?? "-"}`).join(", ") || "-", // prettier-ignore
    result.notes,
  ]);
  const widths = header.map((title, i) => Math.max(title.length, ...rows.map((row) => (row[i] ?? "").length)));
  return [header, ...rows].map((row) => row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join("  ").trimEnd()).join("\n"); // prettier-ignore
}
