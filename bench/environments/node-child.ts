/**
 * The process that computes for `node-webgpu` and `node-wasm`: cases as the parent asks for them. For the first, Dawn's
 * WebGPU is in the place where browsers have theirs, for peers that know no other.
 */
import { openRuntime } from "hearth/node";
import { describeError } from "../../src/base/errors.ts";
import { openDawn } from "../../src/host/node/dawn.ts";
import type { Backend } from "../options.ts";
import { createHostApi } from "./host-api.ts";
import type { HostApi } from "./host.ts";
import type { ToChild, ToParent } from "./node-messages.ts";

const say = (message: ToParent): void => void process.send?.(message);

const backend: Backend = process.argv[2] === "wasm" ? "wasm" : "webgpu";

async function open(): Promise<HostApi> {
  if (backend === "webgpu") {
    const { globals } = await import("webgpu");
    const gpu = await openDawn();
    Object.assign(globalThis, globals);
    Object.defineProperty(globalThis, "navigator", { value: { gpu, userAgent: "Node.js" }, configurable: true });
  }
  const { runtime } = await openRuntime(backend, process.argv[3] === "all-cores" ? {} : { threads: 1 });
  return createHostApi(backend, runtime, (stage) => say({ kind: "stage", stage }));
}

async function answer(api: HostApi, message: ToChild): Promise<ToParent> {
  switch (message.kind) {
    case "ceilings":
      return { kind: "ceilings", ceilings: await api.measureCeilings() };
    case "run":
      return { kind: "report", report: await api.run(message.request) };
  }
}

const failed = (error: unknown): void => say({ kind: "failed", error: describeError(error) });

// Dawn's threads may outlive their device.
process.on("disconnect", () => process.exit(0));
try {
  const api = await open();
  process.on("message", (message: ToChild) => void answer(api, message).then(say, failed));
  say({ kind: "ready", deviceName: api.deviceName });
} catch (error) {
  failed(error);
}
