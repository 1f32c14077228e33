/** Bad input of every kind, all at once, while two other tabs train: each gets one clear sentence, and the run reaches its last step. */
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import { present } from "../../src/base/assert.ts";
import { Random } from "../../src/base/random.ts";
import { PROTOCOL_VERSION, type RefusalCode } from "../../src/network/wire/messages.ts";
import { areEqual } from "../../tools/swarm/summary.ts";
import { REAL_SERVER, ROOT } from "../../tools/swarm/server-process.ts";
import { HearthUnderTest, type OpenTab, type WatchedRoom } from "./support/hearth.ts";
import { frameOfVersion, HELLO, hostileFrames, playRogue } from "./support/rogue.ts";

const TEST_MS_MAX = 120_000;
/** All of this file happens within some thirty of them. */
const STEPS = 80;
const SEED = 7;

let hearth: HearthUnderTest;
let room = "";
let watched: WatchedRoom;
let members: readonly OpenTab[] = [];

beforeAll(async () => {
  hearth = await HearthUnderTest.start();
  room = await hearth.createRoom({ run: "addition", seed: SEED, steps: STEPS, startWith: 2 });
  watched = hearth.watch(room);
  const path = `/room/${room}?device=reference`;
  members = [await hearth.open(path), await hearth.open(path)];
  await watched.reached(1);
}, TEST_MS_MAX);

afterAll(async () => {
  watched?.close();
  await hearth?.stop();
}, TEST_MS_MAX);

/** After the input at hand: the run is still under way, and commits further steps. */
async function expectTraining(): Promise<void> {
  const before = watched.step;
  expect(before).toBeLessThan(STEPS - 1);
  await watched.reached(before + 2);
}

/** Peer id of a training member, as its page says. */
async function memberPeer(index: number): Promise<string> {
  const { page } = present(members[index], `member ${index}`);
  return page.evaluate(() => document.documentElement.dataset["peer"] ?? "");
}

/** Drops a file on the start page and starts a room with it: the sentences that the page then shows as alerts. */
async function dropFile(name: string, content: BadFile["content"]): Promise<string[]> {
  const path = join(hearth.directory, name);
  await writeFile(path, "sparseBytes" in content ? "" : content);
  if ("sparseBytes" in content) await truncate(path, content.sparseBytes);
  const { page } = await hearth.open("/");
  await page.locator("#data-file").setInputFiles(path);
  await page.getByRole("button", { name: "Start room" }).click();
  const alerts = page.getByRole("alert").filter({ hasText: /\S/ });
  await alerts.first().waitFor();
  const sentences = await alerts.allInnerTexts();
  await page.context().close();
  return sentences;
}

interface BadFile {
  readonly what: string;
  readonly name: string;
  readonly content: Uint8Array | { readonly sparseBytes: number };
  readonly says: RegExp;
}

const BAD_FILES: readonly BadFile[] = [
  { what: "an empty file", name: "empty.txt", content: new Uint8Array(0), says: /^“empty\.txt” is empty: .*\.$/ },
  {
    what: "a file of two characters",
    name: "two.txt",
    content: new TextEncoder().encode("ab"),
    says: /^The text has 2 characters; char-gpt needs at least 66 to learn from\.$/,
  },
  {
    what: "a file of 300 MB",
    name: "huge.txt",
    content: { sparseBytes: 300 * 1024 * 1024 },
    says: /^“huge\.txt” has 300 MB; the most that travels to every tab is 64 MB\.$/,
  },
  {
    what: "a binary file",
    name: "photo.jpg",
    content: Uint8Array.from({ length: 5_000 }, (_, at) => (at * 167) % 256),
    says: /^“photo\.jpg” is not text \(UTF-8\): .*\.$/,
  },
];

for (const { what, name, content, says } of BAD_FILES) {
  test.concurrent(
    `${what} gets one clear sentence on the page`,
    async () => {
      const sentences = await dropFile(name, content);
      expect(sentences).toEqual([expect.stringMatching(says)]);
      await expectTraining();
    },
    TEST_MS_MAX,
  );
}

test.concurrent(
  "a wrong room id gets one clear sentence and a way out",
  async () => {
    const { page, trouble } = await hearth.open("/room/no-such-room-0000000000");
    const alerts = page.getByRole("alert").filter({ hasText: /\S/ });
    await alerts.first().waitFor();
    expect(await alerts.allInnerTexts()).toEqual(["There is no such room: check the link."]);
    expect(await page.getByRole("link", { name: "Start page" }).count()).toBe(1);
    expect(trouble).toEqual([]);
    await page.context().close();
    await expectTraining();
  },
  TEST_MS_MAX,
);

test.concurrent(
  "a second server on the port ends with exit code 1 and one sentence",
  async () => {
    const data = join(hearth.directory, "second");
    const args = ["--import", import.meta.resolve("tsx"), REAL_SERVER.main, "--port", `${hearth.port}`, "--data", data];
    const ended = await new Promise<{ code: number | string | null; out: string; said: string }>((resolve) => {
      execFile(process.execPath, args, { cwd: ROOT }, (error, out, said) =>
        resolve({ code: error === null ? 0 : (error.code ?? null), out, said }),
      );
    });
    expect(ended.code).toBe(1);
    expect(ended.out).toBe("");
    expect(ended.said).toMatch(/^hearth: Port \d+ cannot be had, another program uses it: choose another one, .*\.\n$/);
    await expectTraining();
  },
  TEST_MS_MAX,
);

/** A report of somebody who was hung up on, with these last words. */
function cutOff(lastWords: RegExp): unknown {
  return { isCutOff: true, heard: expect.arrayContaining([expect.stringMatching(lastWords)]) };
}

test.concurrent(
  "a peer that sprays frames over a data channel is cut off with a reason",
  async () => {
    const frames = hostileFrames({ incarnation: 1, epoch: 1 }, 500, SEED);
    const report = await playRogue(hearth, { member: await memberPeer(0), hello: HELLO, messages: frames });
    expect(report).toEqual(cutOff(/^bye peer rogue-\S+ sent 100 malformed frames$/));
    await expectTraining();
  },
  TEST_MS_MAX,
);

test.concurrent(
  "a peer of another protocol version is told so, whether it shows in its greeting or in a frame",
  async () => {
    const member = await memberPeer(1);
    const [greeting, frame] = await Promise.all([
      playRogue(hearth, { member, hello: "hello 99", messages: [] }),
      playRogue(hearth, { member, hello: HELLO, messages: [frameOfVersion(99)] }),
    ]);
    expect(greeting).toEqual(cutOff(new RegExp(`^bye expected protocol version ${PROTOCOL_VERSION}, found 99$`)));
    expect(frame).toEqual(
      cutOff(
        new RegExp(`^bye peer rogue-\\S+ sent a frame of another version: .* version ${PROTOCOL_VERSION}, found 99$`),
      ),
    );
    await expectTraining();
  },
  TEST_MS_MAX,
);

interface Refused {
  readonly kind: string;
  readonly code: RefusalCode;
  readonly reason: string;
}

/** Says all this to the coordinator: its last message before it closes the socket. */
function tellCoordinator(said: readonly (string | Uint8Array)[]): Promise<Refused> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`${hearth.origin.replace("http", "ws")}/coordinator`);
    let last = "{}";
    socket.on("message", (data: Buffer) => (last = data.toString()));
    socket.on("open", () => {
      for (const message of said) socket.send(message);
    });
    socket.on("close", () => resolve(JSON.parse(last) as Refused));
    socket.on("error", reject);
  });
}

function helloOf(protocol: number): string {
  const info = { peer: `rogue-${randomUUID()}`, device: "rogue", engine: "rogue" };
  return JSON.stringify({ kind: "hello", protocol, room, role: "member", info });
}

/** Any JSON, some of it with words that the protocol uses. */
function randomJson(random: Random, depth = 0): unknown {
  const words = ["kind", "vote", "join", "ready", "incarnation", "epoch", "hello", "genesis", ""];
  switch (random.below(depth > 3 ? 4 : 6)) {
    case 0:
      return random.normal() * 10 ** random.below(20);
    case 1:
      return random.pick(words);
    case 2:
      return random.pick([true, false, null]);
    case 3:
      return -random.below(3);
    case 4:
      return Array.from({ length: random.below(5) }, () => randomJson(random, depth + 1));
    default: {
      const pairs = Array.from({ length: random.below(5) }, () => [random.pick(words), randomJson(random, depth + 1)]);
      return { kind: random.pick(words), ...(Object.fromEntries(pairs) as object) };
    }
  }
}

test.concurrent(
  "random bytes and random JSON to the coordinator, before and after a hello, get one sentence each",
  async () => {
    const random = new Random(SEED, "coordinator");
    const noises = Array.from({ length: 20 }, (_, at) => {
      const noise = at % 2 === 0 ? JSON.stringify(randomJson(random)) : "";
      const bytes = Uint8Array.from({ length: 1 + random.below(400) }, () => random.below(256));
      const first = noise === "" ? (at % 4 === 1 ? bytes : Buffer.from(bytes).toString("latin1")) : noise;
      return at < 10 ? [first] : [helloOf(PROTOCOL_VERSION), first];
    });
    const answers = await Promise.all(noises.map(tellCoordinator));
    for (const { kind, code, reason } of answers) {
      expect({ kind, code }).toEqual({ kind: "refused", code: "malformed" });
      expect(reason).toMatch(/^.{10,400}$/);
    }
    await expectTraining();
  },
  TEST_MS_MAX,
);

test.concurrent(
  "a page of another protocol version is told to reload",
  async () => {
    const { kind, code, reason } = await tellCoordinator([helloOf(99)]);
    expect({ kind, code }).toEqual({ kind: "refused", code: "protocol-version" });
    expect(reason).toBe(
      `This page is newer than the server: it speaks protocol version 99, the server version ${PROTOCOL_VERSION}. Reload the page.`,
    );
    await expectTraining();
  },
  TEST_MS_MAX,
);

test(
  "the two tabs train on to the last step, in one epoch, and end with the same bytes",
  async () => {
    const end = await watched.ended();
    expect(end.steps).toBe(STEPS);
    const digests = Object.keys(end.digests);
    expect(digests).toHaveLength(2);
    expect(areEqual(end.digests)).toBe(true);
    const steps = watched.lines.filter((line) => line.type === "step");
    expect(steps.map((line) => line.step)).toEqual(Array.from({ length: STEPS }, (_, at) => at + 1));
    expect(new Set(steps.map((line) => line.members.join())).size).toBe(1);
    expect(watched.lines.filter((line) => line.type === "abort")).toEqual([]);
    expect(members.flatMap((tab) => tab.trouble)).toEqual([]);
  },
  TEST_MS_MAX,
);
