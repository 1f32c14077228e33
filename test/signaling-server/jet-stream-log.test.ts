/** The coordinator's log on a real nats-server, where the machine has one. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { JetStreamLog } from "../../signaling-server/log/jet-stream-log.ts";
import { JetStreamStore, parseLogAddress } from "../../signaling-server/log/jet-stream-store.ts";
import { NatsConnection } from "../../signaling-server/log/nats-connection.ts";
import { present } from "../../src/base/assert.ts";
import { AbortedError, CorruptDataError, OptionError, QuotaError } from "../../src/base/errors.ts";
import type { LogRecord } from "../../src/training/coordinator/protocol.ts";
import { initialState, replay } from "../../src/training/coordinator/state.ts";
import { natsTest, NatsServer } from "./nats-server.ts";
import { quarantined, randomHistory, ROOM } from "./samples.ts";
import { eventually } from "./support.ts";

const records: LogRecord[] = [1, 2, 3].map((incarnation) => ({ kind: "incarnation", incarnation }));
const [one, two] = records as [LogRecord, LogRecord];
const open: NatsConnection[] = [];
let server: NatsServer | null = null;

async function connection(): Promise<NatsConnection> {
  const made = await NatsConnection.open(present(server, "a nats-server").address);
  open.push(made);
  return made;
}

beforeAll(async () => {
  server = await NatsServer.start();
});

afterAll(async () => {
  for (const made of open) made.close();
  await server?.end();
});

natsTest("what is appended is read back, in order, and by another server", async () => {
  const log = await JetStreamLog.create(await connection(), "room1", ROOM);
  for (const [at, record] of records.entries()) await log.appendIf(at + 1, record);
  expect(log.length).toBe(4);
  const other = await JetStreamLog.open(await connection(), "room1");
  expect(other.length).toBe(4);
  expect(await other.read()).toEqual([ROOM, ...records]);
  expect(other.summary).toEqual({ room: ROOM, step: 0, hasEnded: false, checkpoint: null });
});

natsTest("of two coordinators one is fenced off, and learns it by watching", async () => {
  const first = await JetStreamLog.create(await connection(), "room2", ROOM);
  const second = await JetStreamLog.open(await connection(), "room2");
  const seen: number[] = [];
  const end = first.watch((_, length) => seen.push(length));
  await second.appendIf(1, one);
  await eventually("the other's append", () => seen.length > 0);
  expect(seen).toEqual([2]);
  await expect(first.appendIf(1, two)).rejects.toBeInstanceOf(AbortedError);
  const both = await Promise.allSettled([first.appendIf(2, two), second.appendIf(2, two)]);
  expect(both.filter(({ status }) => status === "fulfilled").length).toBe(1);
  end();
  expect(await second.read()).toEqual([ROOM, one, two]);
});

natsTest("who leads does not take an append that was refused for another leader's", async () => {
  const leader = await JetStreamLog.create(await connection(), "room3", ROOM);
  const fenced = await JetStreamLog.open(await connection(), "room3");
  const seen: number[] = [];
  leader.watch((_, length) => seen.push(length));
  await leader.appendIf(1, one);
  await expect(fenced.appendIf(1, two)).rejects.toBeInstanceOf(AbortedError);
  await leader.appendIf(2, two);
  await fenced.read(); // By then the leader has heard of all three.
  expect(seen).toEqual([2, 3]);
});

natsTest("what was acknowledged is there after the server is killed, and the old connection says so", async () => {
  const log = await JetStreamLog.create(await connection(), "room4", ROOM);
  for (const [at, record] of records.entries()) await log.appendIf(at + 1, record);
  await server?.restart();
  await expect(log.appendIf(4, one)).rejects.toBeInstanceOf(QuotaError);
  const again = await JetStreamLog.open(await connection(), "room4");
  expect(await again.read()).toEqual([ROOM, ...records]);
});

natsTest("a log of a newer version is refused by name", async () => {
  const made = await connection();
  const log = await JetStreamLog.create(made, "room5", ROOM);
  await made.request("hearth.log.hearth_room5", JSON.stringify({ version: 3, record: {} }));
  const failure = await log.read().catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(CorruptDataError);
  expect((failure as CorruptDataError).message).toContain("record 2: expected version 2 or an older one, found 3");
});

natsTest("records of an older version are read, and go on with quarantines", async () => {
  const made = await connection();
  const log = await JetStreamLog.create(made, "room7", ROOM);
  await made.request("hearth.log.hearth_room7", JSON.stringify({ version: 1, record: one }));
  expect(await log.read()).toEqual([ROOM, one]);
  await log.appendIf(2, quarantined("d1", 1));
  const other = await JetStreamLog.open(await connection(), "room7");
  expect(await other.read()).toEqual([ROOM, one, quarantined("d1", 1)]);
});

natsTest("a long log is shortened in place: it folds to the same state, and the fence stays", async () => {
  const history = randomHistory(5, 60);
  const options = { compactAboveBytes: 150_000 };
  const log = await JetStreamLog.create(await connection(), "room6", history[0] as LogRecord, options);
  for (const [at, record] of history.slice(1).entries()) await log.appendIf(at + 1, record);
  expect(log.bytes).toBeLessThan(300_000);
  const other = await JetStreamLog.open(await connection(), "room6", options);
  expect(other.length).toBe(60);
  expect(other.bytes).toBeLessThan(300_000);
  const kept = await other.read();
  expect(kept.length).toBeLessThan(history.length);
  const fold = (all: readonly LogRecord[]): unknown => all.reduce(replay, initialState()).durable;
  expect(fold(kept)).toEqual(fold(history));
  await other.appendIf(60, one);
  await expect(log.appendIf(60, one)).rejects.toBeInstanceOf(AbortedError);
});

natsTest("a store lists its rooms, knows those of other servers, and comes back after NATS was away", async () => {
  const { host, port } = present(server, "a nats-server").address;
  const address = parseLogAddress(`nats://${host}:${port}`);
  const [store, other] = [await JetStreamStore.open(address), await JetStreamStore.open(address)];
  await other.create("roomX", ROOM as Extract<LogRecord, { kind: "room" }>);
  expect(await store.has("roomX")).toBe(true);
  expect(await store.has("roomY")).toBe(false);
  expect(await store.list()).toContain("roomX");
  await server?.restart();
  await eventually("a new connection", () => store.has("roomX").catch(() => false));
  expect((await store.open("roomX")).summary.room).toEqual(ROOM);
  await Promise.all([store.close(), other.close()]);
});

natsTest("a server that asks for a password gets it, and one that refuses is named", async () => {
  const guarded = present(await NatsServer.start("--user", "hearth", "--pass", "ember"), "a nats-server");
  const { host, port } = guarded.address;
  const store = await JetStreamStore.open(parseLogAddress(`nats://hearth:ember@${host}:${port}`));
  expect(await store.list()).toEqual([]);
  await store.close();
  await expect(JetStreamStore.open(parseLogAddress(`nats://${host}:${port}`))).rejects.toThrow(/Authorization/);
  await guarded.end();
});

test("an address where nobody is, and one that is none, are refused in a sentence", async () => {
  await expect(JetStreamStore.open(parseLogAddress("nats://127.0.0.1:1"))).rejects.toThrow(/^--log: expected NATS/);
  for (const text of ["nats://", "http://host", "host:4222", "nats://host?replicas=2"]) {
    expect(() => parseLogAddress(text), text).toThrow(OptionError);
  }
});
