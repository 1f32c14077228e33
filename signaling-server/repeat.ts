/** Something done again and again. */
import type { Clock } from "../src/base/clock.ts";

/**
 * Runs `work` every `everyMs`, telling it how much too late it is; the result ends it.
 * Much too late means that the whole process slept, and that what others sent meanwhile is still unread.
 */
export function repeat(clock: Clock, everyMs: number, work: (lateMs: number) => void): () => void {
  let cancel = (): void => {};
  const arm = (): void => {
    const dueAtMs = clock.nowMs() + everyMs;
    cancel = clock.after(everyMs, () => {
      arm();
      work(clock.nowMs() - dueAtMs);
    });
  };
  arm();
  return () => cancel();
}
