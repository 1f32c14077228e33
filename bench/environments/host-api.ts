/** What runs inside every host: our runtime for its lifetime, and cases on it. */
import type { Runtime } from "hearth";
import { measureCeilings } from "../ceilings/measure-ceilings.ts";
import { measureWasmCeilings } from "../ceilings/measure-wasm-ceilings.ts";
import type { Backend } from "../options.ts";
import type { Stage } from "./case-report.ts";
import type { HostApi } from "./host.ts";
import { CaseRunner } from "./run-case.ts";

export function createHostApi(backend: Backend, runtime: Runtime, onStage: (stage: Stage) => void): HostApi {
  const { name, isSoftware } = runtime.device.info;
  const runner = new CaseRunner(backend, runtime, onStage);
  return {
    deviceName: `${name}${isSoftware ? " (software)" : ""}`,
    measureCeilings: async () => (backend === "wasm" ? measureWasmCeilings() : measureCeilings(navigator.gpu)),
    run: (request) => runner.run(request),
  };
}
