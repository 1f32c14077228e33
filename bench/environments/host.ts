/** Where cases run: another process or a page, which may hang or die without taking the program along. */
import type { Ceiling } from "../ceilings/measure-ceilings.ts";
import type { CaseReport, CaseRequest, Stage } from "./case-report.ts";

export interface Host {
  /** For people: "llvmpipe (software)". */
  readonly deviceName: string;
  measureCeilings(): Promise<readonly Ceiling[]>;
  /** Rejects when the host is gone. One at a time. */
  run(request: CaseRequest, onStage: (stage: Stage) => void): Promise<CaseReport>;
  /** Ends it, by force if need be. */
  close(): Promise<void>;
}

/** What a host does when it is asked, whichever way the asking comes. */
export interface HostApi {
  readonly deviceName: string;
  measureCeilings(): Promise<readonly Ceiling[]>;
  run(request: CaseRequest): Promise<CaseReport>;
}
