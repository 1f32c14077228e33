/** One thread of a WebAssembly device: takes chunks of dispatches, and new kernels when it is told of them. */
import { present } from "../../../base/assert.ts";
import { instantiateNow, type RunKernel } from "./compiled-kernels.ts";
import { ThreadControl } from "./thread-control.ts";

/** A line to a thread, or to its owner. */
export interface ThreadPort {
  post(message: unknown, transfer: ArrayBuffer[]): void;
  listen(onMessage: (message: unknown) => void, onFailed: (reason: unknown) => void): void;
  close(): void;
}

/** What an owner tells its threads. */
export type ToThread =
  | {
      readonly kind: "start";
      readonly memory: WebAssembly.Memory;
      readonly controlAt: number;
      /** From 1 on: the owner is number 0. */
      readonly thread: number;
    }
  | { readonly kind: "kernel"; readonly id: number; readonly module: WebAssembly.Module }
  /** Take chunks until the owner recalls; `number` tells this time from others. */
  | { readonly kind: "work"; readonly number: number };

/** What a thread says. */
export type FromThread = { readonly kind: "ready" } | { readonly kind: "failed"; readonly reason: string };

/** Serves the owner at the other end of `port`. */
export function serveThread(port: ThreadPort): void {
  const kernels = new Map<number, RunKernel>();
  let started: { memory: WebAssembly.Memory; control: ThreadControl; thread: number } | undefined;
  const say = (message: FromThread): void => port.post(message, []);
  const onMessage = (message: ToThread): void => {
    switch (message.kind) {
      case "start": {
        const { memory, controlAt, thread } = message;
        started = { memory, control: new ThreadControl(memory, controlAt), thread };
        return say({ kind: "ready" });
      }
      case "kernel":
        if (started !== undefined) kernels.set(message.id, instantiateNow(message.module, started.memory));
        return;
      case "work": {
        if (started === undefined) return;
        const { control, thread } = started;
        const knows = (kernel: number): boolean => kernels.has(kernel);
        control.work(message.number, knows, ({ kernel, argumentsAt, scratchAt, scratchStride }, from, to) => {
          const run = present(kernels.get(kernel), "thread: a kernel that it knows");
          run(argumentsAt, from, to, scratchAt + thread * scratchStride);
        });
      }
    }
  };
  port.listen(
    (message) => {
      try {
        onMessage(message as ToThread);
      } catch (error) {
        say({ kind: "failed", reason: error instanceof Error ? error.message : String(error) });
      }
    },
    () => {},
  );
}
