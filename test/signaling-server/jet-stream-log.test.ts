/** The coordinator's log on a real nats-server, where the machine has one: `apt-get install nats-server`. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { JetStreamLog } from "../../signaling-server/log/jet-stream-log.ts";
import { NatsConnection } from "../../signaling-server/log/nats-connection.ts";
import { AbortedError, CorruptDataError } from "../../src/base/errors.ts";
import type { LogRecord } from "../../src/training/coordinator/protocol.ts";

const isInstalled = spawnSync("nats-server", ["--version"]).status === 0;
const records: LogRecord[] = [1, 2, 3, 4].map((incarnation) => ({ kind: "incarnation", incarnation }));
const folder = mkdtempSync(join(tmpdir(), "hearth-nats-"));
const open: NatsConnection[] = [];
let server: ChildProcess | undefined;
let port = 0;

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return typeof address === "object" && address ? address.port : 0;
}

async function start(): Promise<void> {
  server = spawn("nats-server", ["-js", "-a", "127.0.0.1", "-p", String(port), "-sd", folder], { stdio: "ignore" });
  for (let tries = 0; tries < 100; tries++) {
    const found = await NatsConnection.open("127.0.0.1", port, "probe").catch(() => null);
    found?.close();
    if (found) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function connection(name: string): Promise<NatsConnection> {
  const made = await NatsConnection.open("127.0.0.1", port, name);
  open.push(made);
  return made;
}

beforeAll(async () => {
  if (!isInstalled) return;
  port = await freePort();
  await start();
});

afterAll(() => {
  for (const made of open) made.close();
  server?.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

const natsTest = test.skipIf(!isInstalled);

natsTest("what is appended is read back, in order, and by another server", async () => {
  const log = await JetStreamLog.open(await connection("a"), "room1");
  for (const [at, record] of records.entries()) await log.appendIf(at, record);
  expect(log.length).toBe(4);
  const other = await JetStreamLog.open(await connection("b"), "room1");
  expect(other.length).toBe(4);
  expect(await other.read()).toEqual(records);
});

natsTest("of two coordinators one is fenced off, and learns it by watching", async () => {
  const [old, young] = [await connection("old"), await connection("young")];
  const [first, second] = [await JetStreamLog.open(old, "room2"), await JetStreamLog.open(young, "room2")];
  const seen: number[] = [];
  const end = first.watch((_, length) => seen.push(length));
  const [one, two] = records as [LogRecord, LogRecord];
  await second.appendIf(0, one);
  await expect(first.appendIf(0, two)).rejects.toBeInstanceOf(AbortedError);
  const both = await Promise.allSettled([first.appendIf(1, two), second.appendIf(1, two)]);
  expect(both.filter(({ status }) => status === "fulfilled").length).toBe(1);
  expect(seen[0]).toBe(1);
  end();
  expect(await second.read()).toEqual([one, two]);
});

natsTest("what was acknowledged is there after the server is killed", async () => {
  const log = await JetStreamLog.open(await connection("c"), "room3");
  for (const [at, record] of records.entries()) await log.appendIf(at, record);
  const ended = new Promise((resolve) => server?.once("exit", resolve));
  server?.kill("SIGKILL");
  await ended;
  await start();
  const again = await JetStreamLog.open(await connection("d"), "room3");
  expect(await again.read()).toEqual(records);
});

natsTest("a log of a newer version is refused by name", async () => {
  const made = await connection("e");
  const log = await JetStreamLog.open(made, "room4");
  await made.request("hearth.log.hearth_room4", JSON.stringify({ version: 2, record: {} }));
  const failure = await log.read().catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(CorruptDataError);
  expect((failure as CorruptDataError).message).toContain("record 1: expected version 1, found 2");
});
