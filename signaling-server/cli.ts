/** The server as a program: its options, its one line when it is ready, its signals. */
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { systemClock } from "../src/base/clock.ts";
import { describeError, HearthError, OptionError } from "../src/base/errors.ts";
import { DEFAULT_LIMITS } from "../src/training/coordinator/protocol.ts";
import { openCoordinator } from "./rooms/room-driver.ts";
import { type RunningServer, startServer } from "./server.ts";

const PORT = 8080;
const SHUTDOWN_MS_MAX = 3_000;

/** What can be said on the command line. */
export interface ServerArguments {
  readonly port: number;
  readonly host: string | undefined;
  readonly data: string;
  readonly app: string | undefined;
}

/** @throws OptionError with one sentence */
export function parseServerArguments(argv: readonly string[]): ServerArguments {
  let values: { port?: string; host?: string; data?: string; app?: string };
  try {
    const option = { type: "string" } as const;
    ({ values } = parseArgs({ args: [...argv], options: { port: option, host: option, data: option, app: option } }));
  } catch (cause) {
    const found = cause instanceof Error ? cause.message.split(". ")[0] : String(cause);
    throw new OptionError(`Expected the options --port N, --host NAME, --data DIR and --app DIR, found: ${found}.`, {
      cause,
    });
  }
  const port = Number(values.port ?? PORT);
  if (!/^\d+$/.test(values.port ?? "0") || port > 65_535) {
    throw new OptionError(`--port: expected a number from 0 to 65535, found "${values.port}".`);
  }
  return { port, host: values.host, data: values.data ?? ".hearth", app: values.app };
}

/**
 * Runs the server until a signal ends it. Prints exactly one line on stdout, when it is ready: `hearth: http://...`.
 * What goes wrong is a sentence on stderr and exit code 1.
 */
export async function runServer(args: ServerArguments): Promise<void> {
  const log = (line: string): void => void process.stderr.write(`hearth: ${line}\n`);
  try {
    const server = await startServer({
      port: args.port,
      host: args.host,
      dataDirectory: args.data,
      appDirectory: args.app ?? builtApp(),
      version: versionOf(),
      clock: systemClock,
      random: randomBytes,
      limits: DEFAULT_LIMITS,
      open: openCoordinator,
      log,
    });
    stopOnSignals(server, log);
    process.stdout.write(`hearth: http://localhost:${server.port}\n`);
  } catch (error) {
    fail(error);
  }
}

/** Says what is wrong and ends the program. */
export function fail(error: unknown): never {
  const text = error instanceof HearthError ? error.message : describeError(error);
  process.stderr.write(`hearth: ${text}\n`);
  process.exit(1);
}

function stopOnSignals(server: RunningServer, log: (line: string) => void): void {
  let isStopping = false;
  const stop = (signal: string): void => {
    if (isStopping) return;
    isStopping = true;
    systemClock.after(SHUTDOWN_MS_MAX, () => process.exit(1));
    server.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        log(`${signal}: ${describeError(error)}`);
        process.exit(1);
      },
    );
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
}

/** Where `npm run build` leaves the app; null before that. */
function builtApp(): string | null {
  const directory = fileURLToPath(new URL("../dist", import.meta.url));
  return existsSync(directory) ? directory : null;
}

function versionOf(): string {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
