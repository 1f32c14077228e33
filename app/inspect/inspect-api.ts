/** What the inspecting page and its worker say to each other (Comlink), and nothing else. */
import type { GraphReport, KernelReport } from "hearth";
import type { DeviceChoice } from "hearth/browser";
import type { GraphLayout } from "./layout-graph.ts";

/** A graph and where its nodes stand. */
export interface DrawnGraph {
  readonly report: GraphReport;
  readonly layout: GraphLayout;
}

/** A compiled step, ready to be shown. */
export interface Inspection {
  /** For people: "SwiftShader", "CPU (JavaScript)". */
  readonly device: string;
  /** Why it is this device, in one sentence. */
  readonly reason: string;
  /** Tracing the step, lowering it and making its kernels, on a fresh device. */
  readonly compileMs: number;
  readonly before: DrawnGraph;
  readonly after: DrawnGraph;
  readonly kernels: readonly KernelReport[];
  /** Device memory between inputs and results. */
  readonly scratchBytes: number;
}

export interface InspectApi {
  /** Opens a device, builds the model and compiles its step; once. `doing` is told what takes the time. */
  open(model: string, device: DeviceChoice, doing: (what: string) => void): Promise<Inspection>;
  /** Milliseconds of each kernel, the middle of `runs` runs; null where the device cannot tell. */
  profile(runs: number): Promise<readonly (number | null)[]>;
  /** What `explain` prints. */
  text(sources: boolean): Promise<string>;
  /** All reports as JSON. */
  json(): Promise<string>;
}
