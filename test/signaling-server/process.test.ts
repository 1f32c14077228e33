import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { PeerLostError } from "../../src/base/errors.ts";
import type { LogRecord } from "../../src/training/coordinator/protocol.ts";
import { hello } from "./samples.ts";
import { createRoom, TestSocket } from "./support.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

let data: string;
let children: ChildProcess[];

beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), "hearth-process-"));
  children = [];
});

afterEach(async () => {
  for (const child of children) child.kill("SIGKILL");
  await rm(data, { recursive: true });
});

interface Program {
  readonly child: ChildProcess;
  readonly origin: string;
  readonly output: { text: string };
  readonly errors: { text: string };
}

function launch(...args: string[]): Program {
  const main = join(ROOT, "signaling-server", "main.ts");
  const child = spawn(process.execPath, ["--import", "tsx", main, ...args], { cwd: ROOT });
  children.push(child);
  const output = { text: "" };
  const errors = { text: "" };
  child.stdout.on("data", (chunk: Buffer) => (output.text += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (errors.text += chunk.toString()));
  return { child, origin: "", output, errors };
}

/** A server that answers, on a port of its own unless one is given. */
async function serve(port = 0): Promise<Program> {
  const program = launch("--port", String(port), "--data", data);
  while (!program.output.text.includes("\n")) {
    if (program.child.exitCode !== null) throw new PeerLostError("server", program.errors.text);
    await Promise.race([once(program.child.stdout as NodeJS.ReadableStream, "data"), once(program.child, "exit")]);
  }
  return { ...program, origin: program.output.text.trim().replace("hearth: ", "") };
}

/** Its exit code, and what it printed. */
async function outcome({ child, errors, output }: Program): Promise<[number | null, string, string]> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  return [child.exitCode, errors.text, output.text];
}

async function records(room: string): Promise<LogRecord[]> {
  const lines = (await readFile(join(data, "rooms", room, "log"), "utf8")).trimEnd().split("\n").slice(1);
  return lines.map((line) => JSON.parse(line.slice(line.indexOf("{"))) as LogRecord);
}

test("a server killed at any moment replays its rooms: three times, each a higher incarnation", async () => {
  let room = "";
  let port = 0;
  for (const incarnation of [1, 2, 3]) {
    const server = await serve(port);
    expect(server.output.text).toMatch(/^hearth: http:\/\/localhost:\d+\n$/);
    port = Number(new URL(server.origin).port);
    room ||= await createRoom(server.origin, { run: "char-gpt", seed: 9, steps: 12 });
    const socket = await TestSocket.open(server.origin, hello(room));
    expect(await socket.hear("welcome")).toMatchObject({ incarnation, spec: { run: "char-gpt", seed: 9, steps: 12 } });
    server.child.kill("SIGKILL");
    // The next one starts at once, while this one may still hold port and folder.
    expect((await socket.untilClosed()).code).toBe(1006);
  }
  expect((await records(room)).slice(1)).toEqual(
    [1, 2, 3].map((incarnation) => ({ kind: "incarnation", incarnation })),
  );
}, 60_000);

test.each(["SIGTERM", "SIGINT"] as const)(
  "%s ends the server within 3 s: sockets are told, the folder is free, the exit code is 0",
  async (signal) => {
    const server = await serve();
    const room = await createRoom(server.origin);
    const socket = await TestSocket.open(server.origin, hello(room));
    await socket.hear("welcome");
    const before = performance.now();
    server.child.kill(signal);
    expect(await socket.untilClosed()).toEqual({ code: 1001, reason: "the server is shutting down" });
    expect(await outcome(server)).toEqual([0, "", `hearth: ${server.origin}\n`]);
    expect(performance.now() - before).toBeLessThan(3_000);
    expect(await readdir(data)).toEqual(["rooms"]);
    expect(socket.heard.some((message) => message.kind === "refused")).toBe(false);
    expect((await records(room)).map(({ kind }) => kind)).toEqual(["room", "incarnation"]);
  },
  30_000,
);

test("a second server on the port, or on the folder, and wrong options end with one clear sentence", async () => {
  const server = await serve();
  const { port } = new URL(server.origin);
  const [samePort, sameData, wrong, wrongPort] = await Promise.all(
    [
      ["--port", port, "--data", join(data, "other")],
      ["--port", "0", "--data", data],
      ["--prot", "1"],
      ["--port", "99999"],
    ].map((args) => outcome(launch(...args))),
  );
  const next = Number(port) < 65_535 ? Number(port) + 1 : 8080;
  expect(samePort).toEqual([
    1,
    `hearth: Port ${port} cannot be had, another program uses it: choose another one, for example with --port ${next}.\n`,
    "",
  ]);
  expect(sameData?.[0]).toBe(1);
  expect(sameData?.[1]).toMatch(/^hearth: data folder .* process \d+ .* --data DIR\n$/);
  expect(wrong?.[0]).toBe(1);
  expect(wrong?.[1]).toMatch(/^hearth: Expected the options --port N.*'--prot'\.\n$/);
  expect(wrongPort?.[1]).toBe('hearth: --port: expected a number from 0 to 65535, found "99999".\n');
  expect((await fetch(`${server.origin}/healthz`)).status).toBe(200);
}, 60_000);
