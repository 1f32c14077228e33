/** The server as a child process: started, waited for, killed and started again on the same port and data. */
import { spawn, type ChildProcess } from "node:child_process";
import { createWriteStream, mkdirSync, type WriteStream } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Clock } from "../../src/base/clock.ts";
import { DeadlineError, OptionError, PeerLostError } from "../../src/base/errors.ts";
import { withDeadline } from "../../src/base/wait.ts";
import { signalGroup, type ProcessGroups } from "./processes.ts";

/** The repository's root. */
export const ROOT: string = fileURLToPath(new URL("../..", import.meta.url));

/** The program that serves a room: the real one, or a test's. */
export interface ServerProgram {
  /** A TypeScript file, which is given `--port N --data DIR`. */
  readonly main: string;
  /** What else it is told. */
  readonly parameters?: readonly string[];
}

/** `signaling-server/main.ts`. */
export const REAL_SERVER: ServerProgram = { main: join(ROOT, "signaling-server", "main.ts") };

/** The line that the server prints when it answers. */
const READY = /^hearth: (http:\/\/\S+)/m;
const READY_MS_MAX = 60_000;
const STOP_MS_MAX = 5_000;
/** Kept of the server's output, to be shown when it does not start. */
const TAIL_CHARACTERS = 2_000;

export interface ServerOptions {
  readonly program: ServerProgram;
  readonly port: number;
  /** Log and data go here. */
  readonly directory: string;
  readonly clock: Clock;
  readonly groups: ProcessGroups;
}

export class ServerProcess {
  readonly origin: string;
  readonly #options: ServerOptions;
  readonly #log: WriteStream;
  #child: ChildProcess | null = null;
  #ending: Promise<void> = Promise.resolve();
  /** Called when the server ends without having been asked to. */
  onUnexpectedExit: (reason: string) => void = () => {};

  constructor(options: ServerOptions) {
    mkdirSync(options.directory, { recursive: true });
    this.#options = options;
    this.#log = createWriteStream(join(options.directory, "server.log"), { flags: "a" });
    this.origin = `http://localhost:${options.port}`;
  }

  /** Starts it and waits until it says that it is ready. @throws PeerLostError, DeadlineError with what it printed */
  async start(): Promise<void> {
    const { program, port, directory, clock, groups } = this.#options;
    // Node itself and not the tsx command, which would put a process between us and the one to kill.
    const loader = import.meta.resolve("tsx");
    const own = ["--port", String(port), "--data", join(directory, "server"), ...(program.parameters ?? [])];
    const args = ["--import", loader, program.main, ...own];
    const child = spawn(process.execPath, args, { cwd: ROOT, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    this.#child = child;
    const { pid } = child;
    if (pid !== undefined) groups.add(pid);
    let tail = "";
    const ready = new Promise<void>((resolve, reject) => {
      const onOutput = (chunk: Buffer): void => {
        this.#log.write(chunk);
        tail = (tail + chunk.toString()).slice(-TAIL_CHARACTERS);
        if (READY.test(tail)) resolve();
      };
      child.stdout?.on("data", onOutput);
      child.stderr?.on("data", onOutput);
      child.once("error", reject);
      child.once("exit", (code, signal) => {
        if (pid !== undefined) groups.delete(pid);
        const reason = `the server ended with ${signal ?? `exit code ${code}`}`;
        reject(new PeerLostError("server", `starting the server: ${reason}: ${tail.trim()}`));
        if (this.#child === child) this.onUnexpectedExit(reason);
      });
    });
    try {
      await withDeadline("starting the server", ready, clock, { deadlineMs: READY_MS_MAX });
    } catch (error) {
      await this.kill();
      if (!(error instanceof DeadlineError)) throw error;
      throw new DeadlineError(`${error.message}; it said: ${tail.trim() || "nothing"}`, { cause: error });
    }
  }

  /** SIGKILL, at once. Resolves when the process is gone, and not even its number is left. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** SIGTERM, and SIGKILL when that is not enough. */
  async stop(): Promise<void> {
    await this.#end("SIGTERM");
    await this.#ending;
    this.#log.end();
  }

  #end(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const child = this.#child;
    this.#child = null;
    const pid = child?.pid;
    if (!child || pid === undefined || child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
    const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    signalGroup(pid, signal);
    const wait = { deadlineMs: STOP_MS_MAX };
    this.#ending = withDeadline("ending the server", ended, this.#options.clock, wait).catch(() => {
      signalGroup(pid, "SIGKILL");
    });
    return this.#ending;
  }
}

/** A port of this machine that nobody listens on; `wanted` if given. @throws OptionError when that one is taken */
export function freePort(wanted: number | null): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", (error) => {
      reject(new OptionError(`port ${wanted}: expected a free port, found it taken`, { cause: error }));
    });
    probe.listen(wanted ?? 0, () => {
      const address = probe.address();
      const port = typeof address === "object" && address ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}
