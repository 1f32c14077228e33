/** How a program that trains is ended from outside: in order at the first signal, at once at the second. */
import { systemClock } from "../../src/base/clock.ts";
import { parentOf } from "./processes.ts";

/** What shells expect of a program that a signal ended. */
const SIGNAL_EXITS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;
const SHELL_POLL_MS = 1_000;

export class Interruption {
  readonly #controller = new AbortController();
  #exitCode: number | null = null;

  /** Listens from now on. */
  constructor() {
    for (const [signal, exitCode] of Object.entries(SIGNAL_EXITS)) {
      process.on(signal, () => {
        if (this.#exitCode !== null) process.exit(exitCode);
        this.#end(exitCode);
      });
    }
    this.#watchShell();
  }

  /** Aborted by the first signal. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** What the program ends with once it was interrupted; null before. */
  get exitCode(): number | null {
    return this.#exitCode;
  }

  #end(exitCode: number): void {
    this.#exitCode ??= exitCode;
    this.#controller.abort();
  }

  /**
   * npm passes a signal on to its shell, and the shell to nobody. So a run that npm started ends when that shell is gone,
   * which is two up: between it and this process stands tsx.
   */
  #watchShell(): void {
    if (process.env["npm_lifecycle_event"] === undefined) return;
    const [parent, shell] = [process.ppid, parentOf(process.ppid)];
    const look = (): void => {
      if (process.ppid !== parent || parentOf(parent) !== shell) this.#end(SIGNAL_EXITS.SIGTERM);
      else systemClock.after(SHELL_POLL_MS, look);
    };
    systemClock.after(SHELL_POLL_MS, look);
  }
}
