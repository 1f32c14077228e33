/** coturn as a child process: a TURN server of its own on this machine, with its own ports, folder and secret. */
import { type ChildProcess, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import type { Clock } from "../../src/base/clock.ts";
import { UnsupportedError } from "../../src/base/errors.ts";
import { sleep, withDeadline } from "../../src/base/wait.ts";

const HOST = "127.0.0.1";
const READY_MS_MAX = 10_000;
const STOP_MS_MAX = 2_000;
const POLL_MS = 50;
/** Below the ports that systems give out by themselves. */
const RELAY_PORTS: readonly [number, number] = [20_000, 24_000];

/** Where coturn is, or null. */
function findTurnServer(): string | null {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  return folders.map((folder) => join(folder, "turnserver")).find((path) => existsSync(path)) ?? null;
}

export class TurnServer {
  readonly port: number;
  /** What `--turn-secret` takes. */
  readonly secret: string;
  readonly #child: ChildProcess;
  readonly #clock: Clock;
  readonly #folder: string;

  private constructor(parts: { port: number; secret: string; child: ChildProcess; clock: Clock; folder: string }) {
    this.port = parts.port;
    this.secret = parts.secret;
    this.#child = parts.child;
    this.#clock = parts.clock;
    this.#folder = parts.folder;
  }

  /** Resolves when it answers. @throws UnsupportedError where it is not installed or does not start */
  static async start(secret: string, clock: Clock): Promise<TurnServer> {
    const program = findTurnServer();
    if (program === null) {
      throw new UnsupportedError("starting a TURN server: expected turnserver, found none; install the package coturn");
    }
    const port = await freeUdpPort();
    const folder = mkdtempSync(join(tmpdir(), "hearth-turn-"));
    const log = join(folder, "log");
    const configuration = [
      `listening-ip=${HOST}`,
      `relay-ip=${HOST}`,
      `listening-port=${port}`,
      `min-port=${RELAY_PORTS[0]}`,
      `max-port=${RELAY_PORTS[1]}`,
      "allow-loopback-peers",
      "use-auth-secret",
      `static-auth-secret=${secret}`,
      "realm=hearth",
      "no-cli",
      "no-tls",
      "no-dtls",
      "no-tcp",
      "no-tcp-relay",
      "simple-log",
      `log-file=${log}`,
      `pidfile=${join(folder, "pid")}`,
      `userdb=${join(folder, "users")}`,
    ];
    writeFileSync(join(folder, "conf"), configuration.join("\n"));
    const child = spawn(program, ["-c", join(folder, "conf")], { cwd: folder, stdio: "ignore" });
    const server = new TurnServer({ port, secret, child, clock, folder });
    try {
      await server.#answers();
    } catch (error) {
      const said = existsSync(log) ? readFileSync(log, "utf8").trim().split("\n").slice(-3).join(" | ") : "nothing";
      await server.stop();
      throw new UnsupportedError(`starting a TURN server: expected an answer, found none; it said: ${said}`, {
        cause: error,
      });
    }
    return server;
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child.exitCode === null && child.signalCode === null) {
      const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
      child.kill("SIGTERM");
      await withDeadline("ending the TURN server", ended, this.#clock, { deadlineMs: STOP_MS_MAX }).catch(() => {
        child.kill("SIGKILL");
      });
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Asks with STUN binding requests until one is answered. */
  async #answers(): Promise<void> {
    const socket = createSocket("udp4");
    const answered = new Promise<void>((resolve) => socket.once("message", () => resolve()));
    // RFC 8489, section 5: a binding request without attributes.
    const request = Buffer.from("000100002112a442" + "686561727468207475726e21", "hex");
    try {
      const wait = withDeadline("an answer of the TURN server", answered, this.#clock, { deadlineMs: READY_MS_MAX });
      let isOver = false;
      const over = (): void => void (isOver = true);
      wait.then(over, over);
      while (!isOver) {
        socket.send(request, this.port, HOST);
        await sleep(POLL_MS, this.#clock);
      }
      await wait;
    } finally {
      socket.close();
    }
  }
}

function freeUdpPort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createSocket("udp4");
    probe.once("error", reject);
    probe.bind(0, HOST, () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
