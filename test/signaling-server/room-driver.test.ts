import { expect, test } from "vitest";
import { type Conn, type Coordinator, RoomDriver } from "../../signaling-server/rooms/room-driver.ts";
import type { Clock } from "../../src/base/clock.ts";
import { QuotaError } from "../../src/base/errors.ts";
import type { RunLine } from "../../src/network/wire/run-line.ts";
import type { ServerMessage } from "../../src/network/wire/messages.ts";
import type { CommitLog } from "../../src/training/coordinator/commit-log.ts";
import { DEFAULT_LIMITS, type Effect, type Event, type LogRecord } from "../../src/training/coordinator/protocol.ts";
import { hello, ROOM } from "./samples.ts";

/** Time that passes when told to. */
class ManualClock implements Clock {
  now = 0;
  #timers: { atMs: number; callback: () => void }[] = [];
  nowMs(): number {
    return this.now;
  }
  wallMs(): number {
    return this.now;
  }
  after(delayMs: number, callback: () => void): () => void {
    const timer = { atMs: this.now + delayMs, callback };
    this.#timers.push(timer);
    return () => (this.#timers = this.#timers.filter((other) => other !== timer));
  }
  /** To `ms` from now; what is due in between runs at its time, or at the end when the process `sleeps`. */
  pass(ms: number, sleeps = false): void {
    const end = this.now + ms;
    if (sleeps) this.now = end;
    for (;;) {
      const [next] = this.#timers.filter(({ atMs }) => atMs <= end).sort((a, b) => a.atMs - b.atMs);
      if (!next) break;
      this.#timers = this.#timers.filter((other) => other !== next);
      this.now = Math.max(this.now, next.atMs);
      next.callback();
    }
    this.now = end;
  }
}

/** A log whose disk takes as long as the test wants. */
class SlowLog implements CommitLog {
  readonly records: LogRecord[] = [ROOM];
  readonly waiting: { finish: () => void; fail: (error: Error) => void }[] = [];
  get length(): number {
    return this.records.length;
  }
  appendIf(expectedLength: number, record: LogRecord): Promise<void> {
    expect(expectedLength).toBe(this.length);
    return new Promise((resolve, reject) => {
      this.waiting.push({
        finish: () => {
          this.records.push(record);
          resolve();
        },
        fail: reject,
      });
    });
  }
  async read(): Promise<readonly LogRecord[]> {
    return this.records;
  }
  onAppend: (record: LogRecord, length: number) => void = () => {};
  watch(onAppend: (record: LogRecord, length: number) => void): () => void {
    this.onAppend = onAppend;
    return () => {};
  }
}

class FakeConn implements Conn {
  readonly id: string;
  readonly role = "member";
  readonly heard: string[] = [];
  constructor(id: string) {
    this.id = id;
  }
  send(text: string): void {
    this.heard.push(text);
  }
  refuse(code: string, reason: string): void {
    this.heard.push(`refused ${code}: ${reason}`);
  }
  close(reason: string): void {
    this.heard.push(`closed: ${reason}`);
  }
}

interface Scene {
  readonly driver: RoomDriver;
  readonly log: SlowLog;
  readonly clock: ManualClock;
  readonly events: Event[];
  readonly lines: RunLine[];
  readonly failures: unknown[];
}

async function scene(react: (event: Event) => Effect[]): Promise<Scene> {
  const log = new SlowLog();
  const clock = new ManualClock();
  const events: Event[] = [];
  const lines: RunLine[] = [];
  const failures: unknown[] = [];
  const coordinator: Coordinator = (event) => {
    events.push(event);
    return react(event);
  };
  const driver = await RoomDriver.start({
    log,
    clock,
    limits: DEFAULT_LIMITS,
    open: (records) => {
      expect(records).toEqual([ROOM]);
      return coordinator;
    },
    onLine: (line) => lines.push(line),
    onRefusal: () => {},
    onFailed: (error) => failures.push(error),
  });
  return { driver, log, clock, events, lines, failures };
}

/** Lets promises that are due go on. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

const waiting = (reason: string): ServerMessage => ({ kind: "waiting", reason, devices: [] });
const INCARNATION: LogRecord = { kind: "incarnation", incarnation: 1 };

test("nothing after an append goes out, of that event or a later one, before the append is durable", async () => {
  const { driver, log } = await scene((event) => {
    if (event.kind === "message") return [{ kind: "send", conn: "a", message: waiting("later event") }];
    if (event.kind !== "start") return [];
    return [
      { kind: "send", conn: "a", message: waiting("before") },
      { kind: "append", record: INCARNATION },
      { kind: "send", conn: "a", message: waiting("after") },
      { kind: "append", record: { kind: "end", step: 1, digests: {} } },
      { kind: "send", conn: "a", message: waiting("last") },
    ];
  });
  const conn = new FakeConn("a");
  driver.attach(conn);
  driver.post({ kind: "message", conn: "a", message: hello("x") });
  await settle();
  expect(conn.heard).toEqual([]); // "before" went out while nobody was attached.
  log.waiting[0]?.finish();
  await settle();
  expect(conn.heard).toEqual([JSON.stringify(waiting("after"))]);
  log.waiting[1]?.finish();
  await settle();
  expect(conn.heard.slice(1)).toEqual([JSON.stringify(waiting("last")), JSON.stringify(waiting("later event"))]);
  expect(log.records).toEqual([ROOM, INCARNATION, { kind: "end", step: 1, digests: {} }]);
  await driver.stop();
});

test("start comes once and first, then ticks four times a second, never two waiting at once", async () => {
  const { driver, log, clock, events } = await scene((event) =>
    event.kind === "start" ? [{ kind: "append", record: INCARNATION }] : [],
  );
  clock.pass(1_000);
  log.waiting[0]?.finish();
  await settle();
  expect(events.map(({ kind }) => kind)).toEqual(["start", "tick"]);
  for (let i = 0; i < 4; i++) {
    clock.pass(250);
    await settle();
  }
  expect(events.map(({ kind }) => kind)).toEqual(["start", "tick", "tick", "tick", "tick", "tick"]);
  await driver.stop();
});

test("a process that slept reads what was said before it calls anybody silent", async () => {
  const { driver, clock, events } = await scene(() => []);
  await settle();
  clock.pass(20_000, true);
  driver.post({ kind: "message", conn: "a", message: { kind: "heartbeat" } });
  clock.pass(250);
  await settle();
  expect(events.map(({ kind }) => kind)).toEqual(["start", "message", "tick"]);
  await driver.stop();
});

test("a line that many hear is counted once, a broadcast is put into text once", async () => {
  let texts = 0;
  const line: RunLine = { type: "abort", step: 3, reason: "a member was lost" };
  const message: ServerMessage = { kind: "event", line };
  Object.defineProperty(message, "toJSON", { value: () => ((texts += 1), { kind: "event" }) });
  const { driver, lines } = await scene((event) =>
    event.kind === "message" ? ["a", "b", "c"].map((conn) => ({ kind: "send", conn, message })) : [],
  );
  const conns = ["a", "b", "c"].map((id) => new FakeConn(id));
  for (const conn of conns) driver.attach(conn);
  driver.post({ kind: "message", conn: "a", message: { kind: "heartbeat" } });
  await settle();
  expect(conns.map(({ heard }) => heard)).toEqual([['{"kind":"event"}'], ['{"kind":"event"}'], ['{"kind":"event"}']]);
  expect(lines).toEqual([line]);
  expect(texts).toBe(1);
  await driver.stop();
});

test("when the coordinator throws, everybody is told in a sentence and the room ends", async () => {
  const { driver, clock, events, failures } = await scene((event) => {
    if (event.kind === "message") throw new TypeError("no such property");
    return [];
  });
  const conns = [new FakeConn("a"), new FakeConn("b")];
  for (const conn of conns) driver.attach(conn);
  driver.post({ kind: "message", conn: "a", message: { kind: "heartbeat" } });
  driver.post({ kind: "message", conn: "b", message: { kind: "heartbeat" } });
  await settle();
  for (const { heard } of conns) expect(heard).toEqual([expect.stringMatching(/^refused busy: This room has stopped/)]);
  expect(failures).toEqual([new TypeError("no such property")]);
  expect(driver.isEnded).toBe(true);
  clock.pass(5_000);
  await settle();
  expect(events.map(({ kind }) => kind)).toEqual(["start", "message"]);
  const late = new FakeConn("c");
  driver.attach(late);
  expect(late.heard).toEqual([expect.stringMatching(/^refused busy/)]);
});

test("when the disk refuses a record, what depended on it never goes out", async () => {
  const { driver, log, failures } = await scene((event) =>
    event.kind === "message"
      ? [
          { kind: "append", record: INCARNATION },
          { kind: "send", conn: "a", message: waiting("committed") },
        ]
      : [],
  );
  const conn = new FakeConn("a");
  driver.attach(conn);
  driver.post({ kind: "message", conn: "a", message: { kind: "heartbeat" } });
  await settle();
  log.waiting[0]?.fail(new QuotaError("disk full"));
  await settle();
  expect(conn.heard).toEqual([expect.stringContaining("disk is full")]);
  expect(failures).toHaveLength(1);
});

test("a stop lets the event under way finish its effects, and drops the rest", async () => {
  const { driver, log, events } = await scene((event) =>
    event.kind === "message"
      ? [
          { kind: "append", record: INCARNATION },
          { kind: "send", conn: "a", message: waiting("committed") },
        ]
      : [],
  );
  const conn = new FakeConn("a");
  driver.attach(conn);
  await settle();
  driver.post({ kind: "message", conn: "a", message: { kind: "heartbeat" } });
  driver.post({ kind: "message", conn: "a", message: { kind: "heartbeat" } });
  const stopped = driver.stop();
  log.waiting[0]?.finish();
  await stopped;
  expect(conn.heard).toEqual([JSON.stringify(waiting("committed"))]);
  expect(events.map(({ kind }) => kind)).toEqual(["start", "message"]);
});

test("a record that another server appended ends the room, and everybody is told who leads", async () => {
  const { driver, log, failures } = await scene(() => []);
  const conn = new FakeConn("a");
  driver.attach(conn);
  log.onAppend(ROOM, 1);
  expect(driver.isEnded).toBe(false);
  log.onAppend(INCARNATION, 2);
  expect(driver.isEnded).toBe(true);
  expect(conn.heard).toEqual(["refused busy: Another server leads this room now: reload the page."]);
  expect(failures.length).toBe(1);
});
