import { readFile, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openCoordinator } from "../../signaling-server/rooms/room-driver.ts";
import { Random } from "../../src/base/random.ts";
import type { Clock } from "../../src/base/clock.ts";
import { systemClock } from "../../src/base/clock.ts";
import type { ServerMessage } from "../../src/network/wire/messages.ts";
import { hello } from "./samples.ts";
import { createRoom, eventually, metric, testServer, type TestServer, TestSocket } from "./support.ts";

let server: TestServer;
let room: string;
let sockets: TestSocket[];

beforeEach(async () => {
  sockets = [];
  server = await testServer();
  room = await createRoom(server.origin);
});

afterEach(async () => {
  for (const socket of sockets) socket.close();
  await server.end();
});

async function open(...messages: Parameters<typeof TestSocket.open> extends [string, ...infer M] ? M : never) {
  const socket = await TestSocket.open(server.origin, ...messages);
  sockets.push(socket);
  return socket;
}

test("a hello is welcomed by its room's coordinator, and others hear of the newcomer", async () => {
  const watcher = await open(hello(room, "observer", "watcher"));
  expect(await watcher.hear("welcome")).toMatchObject({
    spec: { run: "char-gpt" },
    incarnation: 1,
    step: 0,
    peers: [],
  });
  const member = await open(hello(room));
  await member.hear("welcome");
  const roster = await watcher.hear("roster");
  expect(roster.members).toMatchObject([{ peer: "peer1", state: "preparing" }]);
  const summary = (await (await fetch(`${server.origin}/api/rooms/${room}`)).json()) as object;
  expect(summary).toMatchObject({ run: "char-gpt", step: 0, members: 1 });
  expect(await metric(server.origin, "hearth_observers_connected")).toBe(1);
});

test("what follows a hello at once waits for the room, and is heard in order", async () => {
  const member = await open(hello(room), { kind: "heartbeat" }, { kind: "leave", reason: "changed my mind" });
  const watcher = await open(hello(room, "observer", "watcher"));
  await member.hear("welcome");
  await watcher.hear("welcome");
  await eventually("a paused member", () =>
    [...watcher.heard, ...member.heard].some(
      (message) => message.kind === "roster" && message.members[0]?.state === "paused",
    ),
  );
});

test.each([
  ["an unknown room", hello("b".repeat(26)), "unknown-room", /no such room/],
  ["a room that is a path", hello("../../etc"), "unknown-room", /no such room/],
  ["another protocol version", { ...hello("x"), protocol: 99 }, "protocol-version", /version 99/],
  [
    "another version's hello of another shape",
    { kind: "hello", protocol: 98, rooms: [] },
    "protocol-version",
    /version 98/,
  ],
  ["no hello first", { kind: "heartbeat" }, "malformed", /expected a hello, found "heartbeat"/],
  ["a hello without a peer", { ...hello("x"), info: {} }, "malformed", /info/],
  ["no object", [1, 2], "malformed", /client message/],
])("%s is refused with a sentence and closed", async (_, message, code, sentence) => {
  const socket = await open();
  socket.say(message);
  const refused = await socket.hear("refused");
  expect(refused).toMatchObject({ code, reason: expect.stringMatching(sentence) as string });
  expect((await socket.untilClosed()).code).toBe(1008);
  expect(await metric(server.origin, `hearth_refused_total{code="${code}"}`)).toBe(1);
});

test("random bytes, text and binary, before and after the hello, close that socket only", async () => {
  const random = new Random(11, "bytes");
  const watcher = await open(hello(room, "observer", "watcher"));
  await watcher.hear("welcome");
  for (let i = 0; i < 12; i++) {
    const socket = await open(...(i % 2 === 0 ? [] : [hello(room, "member", `peer${i}`)]));
    const bytes = Buffer.from(Array.from({ length: 1 + random.below(2_000) }, () => random.below(256)));
    socket.socket.send(i % 3 === 0 ? bytes : bytes.toString("latin1"));
    expect(await socket.hear("refused")).toMatchObject({ code: "malformed" });
    await socket.untilClosed();
  }
  const second = await open(hello(room), hello(room));
  expect(await second.hear("refused")).toMatchObject({ code: "malformed" });
  const late = await open(hello(room));
  await late.hear("welcome");
  expect(watcher.closed).toBeNull();
});

test("a message over a mebibyte closes its socket, one under it but too long gets a sentence", async () => {
  const socket = await open();
  socket.socket.send(`"${"x".repeat(900_000)}"`);
  expect((await socket.hear("refused")).reason).toMatch(/at most \d+ characters/);
  const other = await open();
  other.socket.send("x".repeat(3_000_000));
  expect((await other.untilClosed()).code).toBe(1009);
});

test("bytes that are no WebSocket frames, and upgrades to nowhere, do not disturb the server", async () => {
  const speak = (path: string, after: string): Promise<string> =>
    new Promise((resolve) => {
      const socket = connect(server.port, "localhost");
      let text = "";
      socket.on("data", (chunk) => {
        if (text === "") socket.write(after, "latin1");
        text += chunk.toString("latin1");
      });
      socket.on("error", () => {});
      socket.on("close", () => resolve(text));
      const key = Buffer.alloc(16).toString("base64");
      socket.write(
        `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
          `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
      );
    });
  expect(await speak("/coordinator", "\xff\xff\x00garbage garbage")).toMatch(/^HTTP\/1\.1 101 /);
  expect(await speak("/peerjs/peerjs?id=a&token=b&key=peerjs", "\xff\xff\x00garbage")).toMatch(/^HTTP\/1\.1 101 /);
  expect(await speak("/elsewhere", "")).toMatch(/^HTTP\/1\.1 404 /);
  const socket = await open(hello(room));
  await socket.hear("welcome");
});

test("a socket that says nothing is closed when its time is over, and not refused: it may have been frozen", async () => {
  const hurried: Clock = { ...systemClock, after: (ms, callback) => systemClock.after(ms / 50, callback) };
  const other = await testServer({ clock: hurried });
  const socket = await TestSocket.open(other.origin);
  expect((await socket.untilClosed()).reason).toMatch(/expected a hello within 10 s/);
  expect(socket.heard).toEqual([]);
  await other.end();
});

test("a client that does not read is closed before it fills the memory", async () => {
  const big: ServerMessage = { kind: "waiting", reason: "x".repeat(4_000_000), devices: [] };
  const flooding = await testServer({
    open: () => (event) =>
      event.kind === "message"
        ? Array.from({ length: 20 }, () => ({ kind: "send", conn: event.conn, message: big }))
        : [],
  });
  const target = await createRoom(flooding.origin);
  const socket = await TestSocket.open(flooding.origin);
  socket.socket.pause();
  socket.say(hello(target));
  await eventually("a line in the log", () => flooding.logged.length > 0);
  expect(flooding.logged[0]).toMatch(/does not read/);
  await eventually(
    "a room without members",
    async () => (await metric(flooding.origin, "hearth_members_connected")) === 0,
  );
  socket.close();
  await flooding.end();
});

test("a flood of messages is refused, and the rest of the room goes on", async () => {
  const watcher = await open(hello(room, "observer", "watcher"));
  const socket = await open(hello(room));
  for (let i = 0; i < 6_000; i++) socket.say({ kind: "heartbeat" });
  expect((await socket.hear("refused")).reason).toMatch(/at most 5000/);
  expect(watcher.closed).toBeNull();
});

test("a room whose coordinator throws refuses its members and starts again from its log; other rooms go on", async () => {
  let starts = 0;
  const faulty = await testServer({
    open: (records, limits) => {
      starts += 1;
      const real = openCoordinator(records, limits);
      return (event, nowMs) => {
        if (event.kind === "message" && event.message.kind === "leave") throw new RangeError("planted");
        return real(event, nowMs);
      };
    },
  });
  const [broken, whole] = [await createRoom(faulty.origin), await createRoom(faulty.origin)];
  const bystander = await TestSocket.open(faulty.origin, hello(whole));
  await bystander.hear("welcome");
  const member = await TestSocket.open(faulty.origin, hello(broken));
  expect((await member.hear("welcome")).incarnation).toBe(1);
  member.say({ kind: "leave", reason: "bye" });
  expect(await member.hear("refused")).toMatchObject({
    code: "busy",
    reason: expect.stringMatching(/has stopped/) as string,
  });
  await member.untilClosed();
  expect(faulty.logged.join("\n")).toMatch(/has failed: RangeError: planted/);
  expect(faulty.logged.join("\n")).not.toContain(broken);
  const again = await TestSocket.open(faulty.origin, hello(broken));
  expect((await again.hear("welcome")).incarnation).toBe(2);
  expect(starts).toBe(3);
  expect(bystander.closed).toBeNull();
  for (const socket of [bystander, again]) socket.close();
  await faulty.end();
});

test("a room takes so many members and no more, and another when one has gone", async () => {
  const small = await testServer({ roomMembersMax: 2 });
  const target = await createRoom(small.origin);
  const members = await Promise.all(
    ["a", "b"].map((peer) => TestSocket.open(small.origin, hello(target, "member", peer))),
  );
  for (const member of members) await member.hear("welcome");
  const third = await TestSocket.open(small.origin, hello(target, "member", "c"));
  expect(await third.hear("refused")).toMatchObject({ code: "busy", reason: expect.stringMatching(/full/) as string });
  const watcher = await TestSocket.open(small.origin, hello(target, "observer", "d"));
  await watcher.hear("welcome");
  members[0]?.close();
  await eventually("a free place", async () => (await metric(small.origin, "hearth_members_connected")) === 1);
  const fourth = await TestSocket.open(small.origin, hello(target, "member", "e"));
  await fourth.hear("welcome");
  for (const socket of [...members, watcher, fourth]) socket.close();
  await small.end();
});

test("a room with a damaged log is refused with a sentence, and only that room", async () => {
  const healthy = await createRoom(server.origin);
  const path = join(server.data, "rooms", room, "log");
  const content = await readFile(path);
  content[150] = (content[150] ?? 0) ^ 1;
  await writeFile(path, content);
  const socket = await open(hello(room));
  expect(await socket.hear("refused")).toMatchObject({
    code: "busy",
    reason: expect.stringMatching(/damaged/) as string,
  });
  expect(server.logged[0]).toMatch(/log, line 2: expected checksum/);
  expect((await fetch(`${server.origin}/api/rooms/${room}`)).status).toBe(500);
  const other = await open(hello(healthy));
  await other.hear("welcome");
});

test("an empty room leaves the memory, and goes on from its log when somebody comes", async () => {
  const other = await testServer({ roomIdleMsMax: 0, clock: fastSweeps() });
  const target = await createRoom(other.origin);
  const socket = await TestSocket.open(other.origin, hello(target));
  expect((await socket.hear("welcome")).incarnation).toBe(1);
  expect(await metric(other.origin, "hearth_rooms")).toBe(1);
  socket.close();
  await eventually("an unloaded room", async () => (await metric(other.origin, "hearth_rooms")) === 0);
  expect((await fetch(`${other.origin}/api/rooms/${target}`)).status).toBe(200);
  expect(await metric(other.origin, "hearth_rooms")).toBe(0);
  for (let incarnation = 2; incarnation < 12; incarnation++) {
    // Coming while the room is being put away.
    const next = await TestSocket.open(other.origin, hello(target));
    expect((await next.hear("welcome")).incarnation).toBeGreaterThan(1);
    next.close();
  }
  await other.end();
});

/** The sweep that unloads rooms, a hundred times as often. */
function fastSweeps(): Clock {
  return { ...systemClock, after: (ms, callback) => systemClock.after(ms === 5_000 ? 50 : ms, callback) };
}
