/** A real nats-server with JetStream on a port of its own: `npm test` installs one where it may. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "vitest";
import type { NatsAddress } from "../../signaling-server/log/nats-connection.ts";
import { NatsConnection } from "../../signaling-server/log/nats-connection.ts";

const isInstalled = spawnSync("nats-server", ["--version"]).status === 0;
if (!isInstalled) console.warn("Skipped: tests with a nats-server, since this machine has none.");
const TRIES_MAX = 100;
const RETRY_MS = 100;

/** A test that is skipped where the machine has no nats-server. */
export const natsTest: ReturnType<typeof test.skipIf> = test.skipIf(!isInstalled);

export class NatsServer {
  readonly address: NatsAddress;
  readonly #folder = mkdtempSync(join(tmpdir(), "hearth-nats-"));
  readonly #more: readonly string[];
  #child: ChildProcess | null = null;

  private constructor(port: number, more: readonly string[]) {
    this.address = { host: "127.0.0.1", port };
    this.#more = more;
  }

  /** One that answers; null where there is none. `more` are options of nats-server. */
  static async start(...more: string[]): Promise<NatsServer | null> {
    if (!isInstalled) return null;
    const server = new NatsServer(await freePort(), more);
    await server.restart();
    return server;
  }

  /** Killed and started again, with what is on its disk. */
  async restart(): Promise<void> {
    await this.#kill();
    const { host, port } = this.address;
    const options = ["-js", "-a", host, "-p", String(port), "-sd", this.#folder, ...this.#more];
    this.#child = spawn("nats-server", options, { stdio: "ignore" });
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const found = await NatsConnection.open(this.address).catch((error: Error) => error);
      if (found instanceof NatsConnection) found.close();
      if (found instanceof NatsConnection || found.message.includes("Authorization")) return;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  async end(): Promise<void> {
    await this.#kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #kill(): Promise<void> {
    const child = this.#child;
    if (!child) return;
    this.#child = null;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
  }
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return typeof address === "object" && address ? address.port : 0;
}
