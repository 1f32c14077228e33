/** What the program and its computing process say to each other. */
import type { Ceiling } from "../ceilings/measure-ceilings.ts";
import type { CaseReport, CaseRequest, Stage } from "./case-report.ts";

export type ToChild = { readonly kind: "ceilings" } | { readonly kind: "run"; readonly request: CaseRequest };

export type ToParent =
  | { readonly kind: "ready"; readonly deviceName: string }
  | { readonly kind: "stage"; readonly stage: Stage }
  | { readonly kind: "ceilings"; readonly ceilings: readonly Ceiling[] }
  | { readonly kind: "report"; readonly report: CaseReport }
  | { readonly kind: "failed"; readonly error: string };
