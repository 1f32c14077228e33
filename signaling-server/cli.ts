/** The server as a program: its options, its one line when it is ready, its signals. */
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { systemClock } from "../src/base/clock.ts";
import { describeError, HearthError, OptionError } from "../src/base/errors.ts";
import { DEFAULT_LIMITS, type Limits } from "../src/training/coordinator/protocol.ts";
import { type JetStreamAddress, parseLogAddress } from "./log/jet-stream-store.ts";
import type { RelayLimits } from "./relay/relay-ledger.ts";
import type { IceOptions } from "./relay/tickets.ts";
import { openCoordinator } from "./rooms/room-driver.ts";
import { type RunningServer, startServer } from "./server.ts";

const PORT = 8080;
const SHUTDOWN_MS_MAX = 3_000;

/** What can be said on the command line. */
export interface ServerArguments {
  readonly port: number;
  readonly host: string | undefined;
  readonly data: string;
  /** Where the rooms' logs are; null for the data folder. */
  readonly logAddress: JetStreamAddress | null;
  readonly app: string | undefined;
  readonly ice: IceOptions;
  /** Bytes a second that a member may send through the relay; null for the usual, 0 for no relay. */
  readonly relayBytesPerSecond: number | null;
}

const text = { type: "string" } as const;
const OPTIONS = {
  port: text,
  host: text,
  data: text,
  log: text,
  app: text,
  stun: { type: "string", multiple: true },
  turn: { type: "string", multiple: true },
  "turn-secret": text,
  "relay-mbits": text,
} as const;

/** What holds a secret may also come by HEARTH_TURN_SECRET and HEARTH_LOG, where others cannot read it. @throws OptionError with one sentence */
export function parseServerArguments(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>> = {},
): ServerArguments {
  const values = parseStrictly(argv);
  const port = Number(values.port ?? PORT);
  if (!/^\d+$/.test(values.port ?? "0") || port > 65_535) {
    throw new OptionError(`--port: expected a number from 0 to 65535, found "${values.port}".`);
  }
  const { host, data = ".hearth", app } = values;
  const secret = values["turn-secret"] ?? environment["HEARTH_TURN_SECRET"] ?? null;
  const ice = {
    stun: iceUrls("--stun", values.stun ?? [], /^stuns?:\S+$/, "stun:host:3478"),
    turn: iceUrls("--turn", values.turn ?? [], /^turns?:\S+$/, "turn:host:3478?transport=udp"),
    turnSecret: secret,
  };
  const log = values.log ?? environment["HEARTH_LOG"] ?? null;
  const logAddress = log === null ? null : parseLogAddress(log);
  return { port, host, data, logAddress, app, ice, relayBytesPerSecond: relayRate(values["relay-mbits"]) };
}

function parseStrictly(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS }).values;
  } catch (cause) {
    const found = cause instanceof Error ? cause.message.split(". ")[0] : String(cause);
    const expected =
      "--port N, --host NAME, --data DIR, --log URL, --app DIR, --stun URL, --turn URL, --turn-secret TEXT and --relay-mbits N";
    throw new OptionError(`Expected the options ${expected}, found: ${found}.`, { cause });
  }
}

function iceUrls(option: string, urls: readonly string[], pattern: RegExp, example: string): readonly string[] {
  const wrong = urls.find((url) => !pattern.test(url));
  if (wrong !== undefined) throw new OptionError(`${option}: expected an address like ${example}, found "${wrong}".`);
  return urls;
}

function relayRate(text: string | undefined): number | null {
  if (text === undefined) return null;
  if (!/^\d{1,6}$/.test(text)) {
    throw new OptionError(`--relay-mbits: expected a whole number, 0 for no relay, found "${text}".`);
  }
  return (Number(text) * 1_000_000) / 8;
}

/**
 * Runs the server until a signal ends it. Prints exactly one line on stdout, when it is ready: `hearth: http://...`.
 * What goes wrong is a sentence on stderr and exit code 1.
 */
export async function runServer(args: ServerArguments, limits: Limits = DEFAULT_LIMITS): Promise<void> {
  const log = (line: string): void => void process.stderr.write(`hearth: ${line}\n`);
  try {
    const server = await startServer({
      port: args.port,
      host: args.host,
      dataDirectory: args.data,
      logAddress: args.logAddress,
      appDirectory: args.app ?? builtApp(),
      version: versionOf(),
      clock: systemClock,
      random: randomBytes,
      limits,
      open: openCoordinator,
      ice: args.ice,
      relay: relayOptions(args.relayBytesPerSecond),
      log,
    });
    stopOnSignals(server, log);
    process.stdout.write(`hearth: http://localhost:${server.port}\n`);
  } catch (error) {
    fail(error);
  }
}

function relayOptions(bytesPerSecond: number | null): Partial<RelayLimits> | null {
  if (bytesPerSecond === null) return {};
  return bytesPerSecond === 0 ? null : { bytesPerSecond };
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
