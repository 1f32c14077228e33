/** Lines to threads of Node. */
import { parentPort } from "node:worker_threads";
import type { Worker } from "node:worker_threads";
import { OptionError } from "../../base/errors.ts";
import type { WorkerPort } from "../../model/data/loader/worker-port.ts";

/** The owner's side of `worker`. */
export function threadPort(worker: Worker): WorkerPort {
  return {
    post: (message, transfer) => worker.postMessage(message, [...transfer]),
    listen(onMessage, onFailed) {
      worker.on("message", onMessage);
      worker.on("messageerror", onFailed);
      worker.on("error", onFailed);
      worker.on("exit", (code) => onFailed(`it ended with code ${code}`));
    },
    close: () => void worker.terminate(),
  };
}

/** The thread's side, inside of it. @throws OptionError in the main thread */
export function threadScopePort(): WorkerPort {
  const port = parentPort;
  if (port === null) {
    throw new OptionError("threadScopePort: expected to be inside of a worker thread, found the main thread");
  }
  return {
    post: (message, transfer) => port.postMessage(message, [...transfer]),
    listen(onMessage, onFailed) {
      port.on("message", onMessage);
      port.on("messageerror", onFailed);
    },
    close: () => port.close(),
  };
}
