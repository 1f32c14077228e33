/** The page's half of `chromium-webgpu` and `chromium-wasm`: opens our runtime, then runs cases as the program outside asks for them. */
import { openRuntime } from "hearth/browser";
import { describeError } from "../../../src/base/errors.ts";
import type { Stage } from "../case-report.ts";
import { createHostApi } from "../host-api.ts";
import type { HostApi } from "../host.ts";

/** What the program outside puts there. */
declare const hearthBenchStage: (stage: Stage) => Promise<void>;

/** The device's name, or why there is none. */
export type PageReady = string | { readonly error: string };

async function open(): Promise<HostApi> {
  const query = new URLSearchParams(location.search);
  const backend = query.get("backend") === "wasm" ? "wasm" : "webgpu";
  const { runtime } = await openRuntime(backend, query.has("all-cores") ? {} : { threads: 1 });
  return createHostApi(backend, runtime, (stage) => void hearthBenchStage(stage));
}

const hearthBenchReady: Promise<PageReady> = open().then(
  (hearthBench) => {
    Object.assign(globalThis, { hearthBench });
    return hearthBench.deviceName;
  },
  (error: unknown) => ({ error: describeError(error) }),
);
Object.assign(globalThis, { hearthBenchReady });
