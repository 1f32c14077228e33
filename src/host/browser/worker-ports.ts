/** Lines to module workers of a browser. */
import { OptionError } from "../../base/errors.ts";
import type { WorkerPort } from "../../model/data/loader/worker-port.ts";

/** The owner's side: `openWorkerDataset({ open: () => workerPort(new Worker(url, { type: "module" })) })`. */
export function workerPort(worker: Worker): WorkerPort {
  return {
    post: (message, transfer) => worker.postMessage(message, [...transfer]),
    listen(onMessage, onFailed) {
      worker.addEventListener("message", ({ data }: MessageEvent<unknown>) => onMessage(data));
      worker.addEventListener("messageerror", () => onFailed("a message that cannot be read"));
      worker.addEventListener("error", (event) => {
        event.preventDefault();
        onFailed(event.message || "it could not be loaded");
      });
    },
    close: () => worker.terminate(),
  };
}

/** The worker's side, inside of it. @throws OptionError outside of a worker */
export function workerScopePort(): WorkerPort {
  const scope = globalThis as unknown as Partial<DedicatedWorkerScope>;
  const { postMessage, addEventListener, close } = scope;
  if (postMessage === undefined || addEventListener === undefined || close === undefined || "document" in globalThis) {
    throw new OptionError("workerScopePort: expected to be inside of a worker, found another place");
  }
  return {
    post: (message, transfer) => postMessage.call(scope, message, [...transfer]),
    listen(onMessage, onFailed) {
      addEventListener.call(scope, "message", ({ data }) => onMessage(data));
      addEventListener.call(scope, "messageerror", () => onFailed("a message that cannot be read"));
    },
    close: () => close.call(scope),
  };
}

/** Of `DedicatedWorkerGlobalScope`, whose types exclude those of pages. */
interface DedicatedWorkerScope {
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
  addEventListener(type: string, listener: (event: { readonly data: unknown }) => void): void;
  close(): void;
}
