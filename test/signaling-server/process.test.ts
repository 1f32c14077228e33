import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { FileLog } from "../../signaling-server/log/file-log.ts";
import { Random } from "../../src/base/random.ts";
import type { LogRecord } from "../../src/training/coordinator/protocol.ts";
import { hello } from "./samples.ts";
import { ScriptedMember } from "./scripted-member.ts";
import { ServerProgram } from "./server-program.ts";
import { createRoom, TestSocket } from "./support.ts";

let data: string;
let programs: ServerProgram[];

beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), "hearth-process-"));
  programs = [];
});

afterEach(async () => {
  for (const { child } of programs) child.kill("SIGKILL");
  await rm(data, { recursive: true });
});

async function serve(port = 0): Promise<ServerProgram> {
  const program = await ServerProgram.start(data, port);
  programs.push(program);
  return program;
}

async function records(room: string): Promise<readonly LogRecord[]> {
  const log = await FileLog.open(join(data, "rooms", room));
  const all = await log.read();
  await log.close();
  return all;
}

/** Whether the end is on the disk, asked beside the server that has the folder. */
async function hasEnded(room: string): Promise<boolean> {
  const folder = join(data, "rooms", room);
  const files = await readdir(folder);
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), "utf8").catch(() => "")));
  return texts.some((text) => text.includes('"kind":"end"'));
}

test("a server killed in the middle of a run, again and again, forgets no step that it announced and does none twice", async () => {
  const steps = 30;
  const random = new Random(5, "kills");
  let server = await serve();
  const { port } = server;
  const room = await createRoom(server.origin, { run: "char-gpt", seed: 9, steps, checkpointEvery: 5 });
  const member = new ScriptedMember(port, room);
  const killAt = new Set([4, 11, 12, 20, 29]);
  member.onCommit = (step) => {
    // At once, while the next step is on its way; or a little later, anywhere in it.
    if (killAt.delete(step)) setTimeout(() => server.child.kill("SIGKILL"), random.below(8));
  };
  member.connect();
  const hasMoved = async (): Promise<boolean> =>
    member.refusals.length > 0 || server.child.signalCode !== null || (await hasEnded(room));
  for (let starts = 1; !(await hasEnded(room)) || server.child.signalCode !== null; starts++) {
    await expect.poll(() => hasMoved(), { timeout: 20_000 }).toBe(true);
    expect(member.refusals).toEqual([]);
    if (server.child.signalCode !== null) server = await serve(port);
    expect(starts).toBeLessThan(8);
  }
  expect(await (await fetch(`${server.origin}/api/rooms/${room}`)).json()).toMatchObject({ step: steps });
  member.close();
  server.child.kill("SIGTERM");
  expect((await server.outcome()).code).toBe(0);

  const log = await records(room);
  const commits = log.flatMap((record) => (record.kind === "commit" ? [record.record] : []));
  expect(commits.map(({ step }) => step)).toEqual(Array.from({ length: steps + 1 }, (_, step) => step));
  const chains = new Map(commits.map(({ step, chain }) => [step, chain]));
  for (const [step, chain] of member.commits) expect(chain, `step ${step}`).toBe(chains.get(step));
  const incarnations = log.flatMap((record) => (record.kind === "incarnation" ? [record.incarnation] : []));
  expect(incarnations).toEqual([1, 2, 3, 4, 5, 6].slice(0, incarnations.length));
  expect(incarnations.length).toBeGreaterThan(3);
  expect(log.at(-1)).toMatchObject({ kind: "end", step: steps });
  expect(member.refusals).toEqual([]);
}, 120_000);

test("a server that was killed refuses the device that it had put out, with the reason", async () => {
  const first = await serve();
  const room = await createRoom(first.origin);
  first.child.kill("SIGKILL");
  await first.outcome();
  const log = await FileLog.open(join(data, "rooms", room));
  const fromWallMs = Date.now();
  const untilWallMs = fromWallMs + 600_000;
  const reason = "It differs.";
  await log.appendIf(log.length, { kind: "quarantine", device: "device1", count: 1, fromWallMs, untilWallMs, reason });
  await log.close();
  const server = await serve();
  const socket = await TestSocket.open(server.origin, hello(room));
  expect(await socket.hear("refused")).toMatchObject({
    code: "mismatch",
    reason: "It differs. It may try again in 10 minutes.",
  });
  const observer = await TestSocket.open(server.origin, hello(room, "observer"));
  await observer.hear("welcome");
}, 30_000);

test.each(["SIGTERM", "SIGINT"] as const)(
  "%s ends the server within 3 s: sockets are told, the folder is free, the exit code is 0",
  async (signal) => {
    const server = await serve();
    expect(server.output).toMatch(/^hearth: http:\/\/localhost:\d+\n$/);
    const room = await createRoom(server.origin);
    const socket = await TestSocket.open(server.origin, hello(room));
    await socket.hear("welcome");
    const before = performance.now();
    server.child.kill(signal);
    expect(await socket.untilClosed()).toEqual({ code: 1001, reason: "the server is shutting down" });
    expect(await server.outcome()).toEqual({ code: 0, errors: "", output: `hearth: ${server.origin}\n` });
    expect(performance.now() - before).toBeLessThan(3_000);
    expect(await readdir(data)).toEqual(["rooms"]);
    expect(socket.heard.some((message) => message.kind === "refused")).toBe(false);
    expect((await records(room)).map(({ kind }) => kind)).toEqual(["room", "incarnation"]);
  },
  30_000,
);

test("a second server on the port, or on the folder, and wrong options end with one clear sentence", async () => {
  const server = await serve();
  const outcomes = await Promise.all(
    [
      ["--port", String(server.port), "--data", join(data, "other")],
      ["--port", "0", "--data", data],
      ["--prot", "1"],
      ["--port", "99999"],
    ].map((args) => {
      const program = new ServerProgram(...args);
      programs.push(program);
      return program.outcome();
    }),
  );
  expect(outcomes.map(({ code, output }) => [code, output])).toEqual([1, 1, 1, 1].map((code) => [code, ""]));
  const [samePort, sameData, wrongName, wrongPort] = outcomes.map(({ errors }) => errors);
  expect(samePort).toMatch(
    /^hearth: Port \d+ cannot be had, another program uses it: choose another .* --port \d+\.\n$/,
  );
  expect(sameData).toMatch(/^hearth: data folder .* process \d+ .* --data DIR\n$/);
  expect(wrongName).toMatch(/^hearth: Expected the options --port N.*'--prot'\.\n$/);
  expect(wrongPort).toBe('hearth: --port: expected a number from 0 to 65535, found "99999".\n');
  expect((await fetch(`${server.origin}/healthz`)).status).toBe(200);
}, 60_000);
