/** The pool with real sockets: tabs that go where the server sends them, and runs that change hands. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { WebSocket } from "ws";
import { systemClock, type Clock } from "../../src/base/clock.ts";
import { PROTOCOL_VERSION } from "../../src/network/wire/messages.ts";
import { parsePoolServerMessage, type PoolServerMessage } from "../../src/network/wire/pool-message.ts";
import type { QueueView } from "../../src/training/coordinator/pool.ts";
import { ScriptedMember } from "./scripted-member.ts";
import { createRoom, eventually, testServer, type TestServer } from "./support.ts";

const LIMITS = { holdMs: 0, ageingMs: 600_000 };
let server: TestServer;
let tabs: PoolMember[];

beforeEach(async () => {
  tabs = [];
  server = await testServer({ poolLimits: LIMITS });
});

afterEach(async () => {
  for (const tab of tabs) tab.close();
  await server.end();
});

/** A tab of the pool: its member in whatever room it is sent to trains by names, and its disk outlives its visits. */
class PoolMember {
  readonly heard: PoolServerMessage[] = [];
  readonly rooms: string[] = [];
  readonly #disks = new Map<string, ScriptedMember>();
  readonly #device: string;
  readonly #port: number;
  #socket: WebSocket;
  #member: ScriptedMember | null = null;
  room: string | null = null;

  constructor(port: number, device: string) {
    this.#port = port;
    this.#device = device;
    this.#socket = this.connect(port);
    tabs.push(this);
  }

  /** Also to another server, where it says in which room it is. */
  connect(port = this.#port): WebSocket {
    const socket = new WebSocket(`ws://localhost:${port}/pool`);
    this.#socket = socket;
    const hello = { kind: "hello", protocol: PROTOCOL_VERSION, device: this.#device, programs: null };
    socket.on("open", () => socket.send(JSON.stringify({ ...hello, room: this.room })));
    socket.on("message", (data: Buffer) => this.#hear(parsePoolServerMessage(data.toString())));
    socket.on("error", () => {});
    return socket;
  }

  get last(): PoolServerMessage | undefined {
    return this.heard.at(-1);
  }

  close(): void {
    this.#member?.close();
    this.#socket.terminate();
  }

  #hear(message: PoolServerMessage): void {
    this.heard.push(message);
    if (message.kind === "assign") this.#enter(message.room);
    if (message.kind !== "release") return;
    this.#member?.close();
    this.room = null;
    setTimeout(() => this.#socket.send(JSON.stringify({ kind: "idle", problem: null })), 20);
  }

  #enter(room: string): void {
    this.room = room;
    this.rooms.push(room);
    const member = new ScriptedMember(this.#port, room);
    for (const [step, chain] of this.#disks.get(room)?.commits ?? []) member.commits.set(step, chain);
    this.#disks.set(room, member);
    this.#member = member;
    member.connect();
  }
}

async function queue(origin = server.origin): Promise<QueueView> {
  return (await (await fetch(`${origin}/queue`)).json()) as QueueView;
}

async function stepOf(room: string): Promise<number> {
  return ((await (await fetch(`${server.origin}/api/rooms/${room}`)).json()) as { step: number }).step;
}

function queued(priority: number, membersMin: number, steps: number): object {
  return { run: "char-gpt", steps, startWith: 1, queue: { priority, membersMin, membersMax: membersMin } };
}

test("a run waits for its minimum, and both tabs and the queue are told why", async () => {
  const first = new PoolMember(server.port, "device1");
  await eventually("a reason", () => first.heard.length > 0);
  expect(first.last).toEqual({
    kind: "waiting",
    reason: "No run asks for members now: this tab waits for the next one.",
  });
  const room = await createRoom(server.origin, queued(0, 2, 1_000));
  const label = `char-gpt ${room.slice(0, 4)}`;
  const reason = "It needs 2 members, and the pool has 1 for it.";
  await eventually("another reason", () => first.heard.length > 1);
  expect(first.last).toEqual({ kind: "waiting", reason: `“${label}” waits. ${reason}` });
  expect(await queue()).toMatchObject({ members: 1, free: 1, runs: [{ label, state: "waiting", reason }] });
  expect(JSON.stringify(await queue())).not.toContain(room);
  const second = new PoolMember(server.port, "device2");
  await eventually("an assignment of both", () => first.room === room && second.room === room);
  expect(await queue()).toMatchObject({ members: 2, free: 0, runs: [{ state: "running", members: 2 }] });
});

test("a more urgent run makes another pause by a checkpoint; that one is resumed, and both end with all steps", async () => {
  const tab = new PoolMember(server.port, "device1");
  const low = await createRoom(server.origin, queued(0, 1, 300));
  await eventually("some steps", async () => (await stepOf(low)) >= 7);
  const high = await createRoom(server.origin, queued(5, 1, 20));
  await expect.poll(() => tab.room, { timeout: 30_000 }).toBe(high);
  const release = tab.heard.find(({ kind }) => kind === "release");
  expect(release?.reason).toMatch(/pauses: its checkpoint is stored\.$/);
  const pausedAt = await stepOf(low);
  expect(pausedAt).toBeLessThan(300);
  expect((await queue()).runs.find(({ state }) => state === "paused")).toMatchObject({ step: pausedAt, members: 0 });
  await expect.poll(() => tab.rooms.length, { timeout: 30_000 }).toBe(3);
  expect(tab.rooms).toEqual([low, high, low]);
  expect(await stepOf(high)).toBe(20);
  await expect.poll(() => stepOf(low), { timeout: 30_000 }).toBe(300);
  await eventually("an empty queue", async () => (await queue()).runs.length === 0);
  await eventually("a free tab", () => tab.last?.kind === "waiting");
});

test("after a restart runs are queued from their logs, and a tab stays in the run that it is in", async () => {
  const tab = new PoolMember(server.port, "device1");
  const room = await createRoom(server.origin, queued(2, 1, 5_000));
  const ended = await createRoom(server.origin, { run: "char-gpt", steps: 9 });
  await eventually("some steps", async () => (await stepOf(room)) >= 7);
  await server.stop();
  const again = await testServer({ dataDirectory: server.data, poolLimits: LIMITS });
  server = again;
  await eventually("the queue", async () => (await queue()).runs.length === 1);
  const [run] = (await queue()).runs;
  expect(run).toMatchObject({ label: `char-gpt ${room.slice(0, 4)}`, state: "paused", priority: 2 });
  expect(run?.step).toBeGreaterThanOrEqual(7);
  expect(ended).not.toBe(room);
  tab.connect(again.port);
  await eventually("its members", async () => (await queue()).runs[0]?.members === 1);
  expect(tab.rooms).toEqual([room]);
});

test.each([
  ["another version", { kind: "hello", protocol: 99, device: "d", programs: null, room: null }, /Reload the page/],
  ["no hello first", { kind: "idle", problem: null }, /expected one hello, and first, found "idle"/],
  ["a hello without a device", { kind: "hello", protocol: PROTOCOL_VERSION, programs: null, room: null }, /device/],
  ["no message", [1], /pool message/],
])("%s is refused with a sentence and closed", async (_, message, sentence) => {
  const socket = new WebSocket(`ws://localhost:${server.port}/pool`);
  const heard: PoolServerMessage[] = [];
  let code = 0;
  socket.on("message", (data: Buffer) => heard.push(parsePoolServerMessage(data.toString())));
  socket.on("close", (found) => (code = found));
  socket.on("open", () => socket.send(JSON.stringify(message)));
  await eventually("the end", () => code !== 0);
  expect(code).toBe(1008);
  expect(heard).toEqual([{ kind: "refused", reason: expect.stringMatching(sentence) as string }]);
});

test("a tab that says nothing is closed when its time is over, and not refused: it may have been frozen", async () => {
  const hurried: Clock = { ...systemClock, after: (ms, callback) => systemClock.after(ms / 50, callback) };
  const other = await testServer({ clock: hurried });
  const socket = new WebSocket(`ws://localhost:${other.port}/pool`);
  let heard = 0;
  let reason = "";
  socket.on("message", () => (heard += 1));
  socket.on("close", (_, said) => (reason = said.toString()));
  await eventually("the end", () => reason !== "");
  expect([heard, reason]).toEqual([0, "The server expected a hello within 10 s and got none."]);
  await other.end();
});
