/** What the thread that computes is asked for and says; plain values, since they pass between processes. */

export interface CaseRequest {
  /** The benchmark's name, and which of its cases. */
  readonly name: string;
  readonly index: number;
  /** In the order in which they run. */
  readonly libraries: readonly string[];
}

/** Sent before each thing that may take long or never end: whoever watches knows whom to blame. */
export interface Stage {
  readonly library: string;
  /** "first steps", "timing", "end". */
  readonly doing: string;
}

export interface LibraryReport {
  /** Of a step; null for a library that failed, `error` says why. */
  readonly ms: number | null;
  readonly samples: number;
  readonly steps: number;
  readonly notes: readonly string[];
  readonly error: string | null;
}

export type CaseReport = Readonly<Record<string, LibraryReport>>;

export function failure(error: string): LibraryReport {
  return { ms: null, samples: 0, steps: 0, notes: [], error };
}

/** As they were asked for, whoever failed first. */
export function inOrder(libraries: readonly string[], reports: CaseReport): CaseReport {
  return Object.fromEntries(libraries.flatMap((library) => (reports[library] ? [[library, reports[library]]] : [])));
}
