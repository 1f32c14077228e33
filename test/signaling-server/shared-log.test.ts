/** Two servers on one JetStream: rooms of either are known to both, one leads, and a run goes over without a loss. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect } from "vitest";
import { JetStreamLog } from "../../signaling-server/log/jet-stream-log.ts";
import { NatsConnection } from "../../signaling-server/log/nats-connection.ts";
import { present } from "../../src/base/assert.ts";
import type { LogRecord } from "../../src/training/coordinator/protocol.ts";
import { natsTest, NatsServer } from "./nats-server.ts";
import { hello } from "./samples.ts";
import { ScriptedMember } from "./scripted-member.ts";
import { ServerProgram } from "./server-program.ts";
import { createRoom, testServer, TestSocket } from "./support.ts";

const STEPS = 40;
const RUN_MS_MAX = 20_000;
let nats: NatsServer | null = null;
let endings: (() => unknown)[] = [];

beforeEach(async () => {
  nats = await NatsServer.start();
});

afterEach(async () => {
  for (const end of endings.reverse()) await end();
  endings = [];
  await nats?.end();
});

function address(): { host: string; port: number; replicas: number } {
  return { ...present(nats, "a nats-server").address, replicas: 1 };
}

async function recordsOf(room: string): Promise<readonly LogRecord[]> {
  const connection = await NatsConnection.open(address());
  const log = await JetStreamLog.open(connection, room);
  const records = await log.read();
  connection.close();
  return records;
}

/** Every step once, and each that the member heard of is the one in the log. */
function expectWhole(records: readonly LogRecord[], member: ScriptedMember): void {
  const commits = records.flatMap((record) => (record.kind === "commit" ? [record.record] : []));
  expect(commits.map(({ step }) => step)).toEqual(Array.from({ length: STEPS + 1 }, (_, step) => step));
  const chains = new Map(commits.map(({ step, chain }) => [step, chain]));
  for (const [step, chain] of member.commits) expect(chain, `step ${step}`).toBe(chains.get(step));
  expect(records.at(-1)?.kind).toBe("end");
}

/** Waits for the end of the run, as its log tells it. */
async function untilEnded(room: string): Promise<readonly LogRecord[]> {
  const hasEnded = async (): Promise<boolean> => (await recordsOf(room)).at(-1)?.kind === "end";
  await expect.poll(hasEnded, { timeout: RUN_MS_MAX, interval: 250 }).toBe(true);
  return recordsOf(room);
}

function memberOf(port: number, room: string): ScriptedMember {
  const member = new ScriptedMember(port, room);
  endings.push(() => member.close());
  return member;
}

natsTest(
  "a room's members move to another server: the first one says who leads, and no step is lost",
  async () => {
    const [first, second] = [await testServer({ logAddress: address() }), await testServer({ logAddress: address() })];
    endings.push(first.end, second.end);
    const room = await createRoom(first.origin, { run: "char-gpt", seed: 9, steps: STEPS });
    const watcher = await TestSocket.open(first.origin, hello(room, "observer", "watcher"));
    await watcher.hear("welcome");
    const member = memberOf(first.port, room);
    member.onCommit = (step) => {
      if (step === 12) member.moveTo(second.port);
    };
    member.connect();
    expectWhole(await untilEnded(room), member);
    expect(await watcher.hear("refused")).toMatchObject({
      code: "busy",
      reason: "Another server leads this room now: reload the page.",
    });
    expect(member.refusals).toEqual([]);
    expect(await (await fetch(`${second.origin}/api/rooms/${room}`)).json()).toMatchObject({ step: STEPS, members: 1 });
    expect(first.logged.join("\n")).toMatch(/another server leads/);
  },
  60_000,
);

natsTest(
  "a server is killed: its members go on at the one that stands by",
  async () => {
    const data = await mkdtemp(join(tmpdir(), "hearth-shared-"));
    endings.push(() => rm(data, { recursive: true, force: true }));
    const { host, port } = address();
    // The same folder for both: logs are elsewhere, so nothing is locked.
    const start = async (): Promise<ServerProgram> => {
      const program = await ServerProgram.start(data, 0, "--log", `nats://${host}:${port}`);
      endings.push(() => program.child.kill("SIGKILL"));
      return program;
    };
    const [first, second] = await Promise.all([start(), start()]);
    const room = await createRoom(first.origin, { run: "char-gpt", seed: 9, steps: STEPS });
    const member = memberOf(first.port, room);
    member.onCommit = (step) => {
      if (step !== 17) return;
      first.child.kill("SIGKILL");
      member.moveTo(second.port);
    };
    member.connect();
    expectWhole(await untilEnded(room), member);
    expect(member.refusals).toEqual([]);
  },
  60_000,
);
