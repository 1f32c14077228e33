/** Waiting with an end: every wait in hearth has a deadline, and most can be aborted. */
import { AbortedError, DeadlineError } from "./errors.ts";
import type { Clock } from "./clock.ts";

/** How long an operation may take, and who may end it earlier. */
export interface WaitOptions {
  /** From now, in milliseconds. */
  deadlineMs: number;
  signal?: AbortSignal | undefined;
}

/**
 * `promise`, or a DeadlineError after `deadlineMs`, or an AbortedError when `signal` aborts.
 * What loses the race goes on; its result is ignored.
 */
export function withDeadline<T>(what: string, promise: Promise<T>, clock: Clock, options: WaitOptions): Promise<T> {
  const { deadlineMs, signal } = options;
  return new Promise<T>((resolve, reject) => {
    if (signal?.aborted) {
      reject(aborted(what, signal));
      promise.catch(() => {});
      return;
    }
    const end = (): void => {
      cancel();
      signal?.removeEventListener("abort", onAbort);
    };
    const onAbort = (): void => {
      end();
      reject(aborted(what, signal));
    };
    const cancel = clock.after(deadlineMs, () => {
      end();
      reject(new DeadlineError(`${what}: expected an end within ${deadlineMs} ms, found none`));
    });
    signal?.addEventListener("abort", onAbort);
    promise.then(
      (value) => {
        end();
        resolve(value);
      },
      (error: unknown) => {
        end();
        reject(error as Error);
      },
    );
  });
}

/** Resolves after `ms`; rejects with AbortedError when `signal` aborts first. */
export function sleep(ms: number, clock: Clock, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(aborted("sleep", signal));
    const onAbort = (): void => {
      cancel();
      reject(aborted("sleep", signal));
    };
    const cancel = clock.after(ms, () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

/** @throws AbortedError when `signal` has aborted. */
export function throwIfAborted(what: string, signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw aborted(what, signal);
}

function aborted(what: string, signal: AbortSignal | undefined): AbortedError {
  const reason: unknown = signal?.reason;
  return new AbortedError(`${what}: aborted${reason instanceof Error ? `, ${reason.message}` : ""}`, { cause: reason });
}
