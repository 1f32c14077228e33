import { appendFile, mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { FileLog } from "../../signaling-server/log/file-log.ts";
import { encodeLine } from "../../signaling-server/log/log-lines.ts";
import { AbortedError, CorruptDataError, QuotaError } from "../../src/base/errors.ts";
import type { LogRecord } from "../../src/training/coordinator/protocol.ts";
import { initialState, replay } from "../../src/training/coordinator/state.ts";
import { commit, quarantined, randomHistory, ROOM } from "./samples.ts";

let directory: string;
let path: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "hearth-log-"));
  path = join(directory, "log");
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

async function fill(records: readonly LogRecord[]): Promise<FileLog> {
  const log = await FileLog.create(directory, ROOM);
  for (const record of records) await log.appendIf(log.length, record);
  return log;
}

const SMALL: LogRecord[] = [
  { kind: "incarnation", incarnation: 1 },
  { kind: "epoch", epoch: 1, members: [{ peer: "p", device: "d é ☃" }] },
  { kind: "rollback", generation: 0, step: 0 },
];

test("a log that is opened again holds what was appended", async () => {
  const log = await fill([...SMALL, commit(0), commit(1)]);
  await log.close();
  const opened = await FileLog.open(directory);
  expect(await opened.read()).toEqual([ROOM, ...SMALL, commit(0), commit(1)]);
  expect(opened.length).toBe(6);
  expect(opened.summary).toEqual({ room: ROOM, step: 1, hasEnded: false, checkpoint: null });
  await opened.close();
});

test("a last record cut at any byte is dropped, and the log goes on without it", async () => {
  const log = await fill(SMALL.slice(0, 2));
  const before = log.bytes;
  await log.appendIf(3, SMALL[2] as LogRecord);
  await log.close();
  const whole = await readFile(path);
  for (let size = before; size < whole.byteLength; size++) {
    await writeFile(path, whole.subarray(0, size));
    const opened = await FileLog.open(directory);
    expect(opened.length, `cut at ${size}`).toBe(3);
    await opened.appendIf(3, SMALL[2] as LogRecord);
    await opened.close();
    expect(await readFile(path), `cut at ${size}`).toEqual(whole);
  }
});

test("a last record with a hole of zeros, as a power cut leaves it, is dropped", async () => {
  const log = await fill(SMALL.slice(0, 2));
  const { bytes } = log;
  await log.appendIf(3, commit(1));
  await log.close();
  const whole = await readFile(path);
  await writeFile(path, Buffer.from(whole).fill(0, bytes + 500, bytes + 4000));
  const opened = await FileLog.open(directory);
  expect(opened.length).toBe(3);
  await opened.close();
});

test("any altered byte of a record that was whole is found and named by file and line, the last line too", async () => {
  const log = await fill(SMALL);
  await log.close();
  const whole = await readFile(path);
  for (let at = 0; at < whole.byteLength; at++) {
    const altered = Buffer.from(whole);
    altered[at] = (altered[at] ?? 0) ^ 0x01;
    await writeFile(path, altered);
    const line = whole.subarray(0, at).filter((byte) => byte === 0x0a).length + 1;
    const error: unknown = await FileLog.open(directory).then(
      () => null,
      (reason: unknown) => reason,
    );
    expect(error, `byte ${at}`).toBeInstanceOf(CorruptDataError);
    expect((error as CorruptDataError).message, `byte ${at}`).toContain(`${path}, line ${line}`);
  }
});

test("a line that is missing or out of place is found", async () => {
  const log = await fill([...SMALL, ...SMALL]);
  await log.close();
  const lines = (await readFile(path, "utf8")).split("\n");
  await writeFile(path, lines.filter((_, index) => index !== 3).join("\n"));
  await expect(FileLog.open(directory)).rejects.toThrow(`${path}, line 4`);
  [lines[3], lines[4]] = [lines[4] as string, lines[3] as string];
  await writeFile(path, lines.join("\n"));
  await expect(FileLog.open(directory)).rejects.toBeInstanceOf(CorruptDataError);
});

test("a file that is no log, or lost its beginning, is refused", async () => {
  for (const text of ["", "hello\n", "\0".repeat(100)]) {
    await writeFile(path, text);
    await expect(FileLog.open(directory), JSON.stringify(text)).rejects.toBeInstanceOf(CorruptDataError);
  }
  await rm(path);
  await expect(FileLog.open(directory)).rejects.toBeInstanceOf(QuotaError);
});

test("zeros in the middle, over a line's end too, are damage and not the tail of an append", async () => {
  const log = await fill(SMALL);
  await log.close();
  const whole = await readFile(path);
  const ends = [...whole.entries()].flatMap(([at, byte]) => (byte === 0x0a ? [at] : []));
  for (const [line, end] of ends.slice(0, -1).entries()) {
    for (const [from, to] of [
      [end - 5, end - 1],
      [end - 5, end + 15],
    ] as const) {
      await writeFile(path, Buffer.from(whole).fill(0, from, to));
      const opening = FileLog.open(directory);
      await expect(opening, `zeros at ${from} to ${to}`).rejects.toBeInstanceOf(CorruptDataError);
      await expect(opening, `zeros at ${from} to ${to}`).rejects.toThrow(`${path}, line ${line + 1}`);
    }
  }
});

test("a log of a newer version is refused with its version and its file, and left as it is", async () => {
  const header = { format: "hearth-log", version: 3, kept: 0, length: 0 };
  const newer = encodeLine(header, 0).bytes;
  await writeFile(path, newer);
  const opening = FileLog.open(directory);
  await expect(opening).rejects.toBeInstanceOf(CorruptDataError);
  await expect(opening).rejects.toThrow(`${path}: expected version 2 or an older one, found 3`);
  expect(await readFile(path)).toEqual(newer);
});

/** A file as servers of version 1 wrote it. */
async function writeVersion1(records: readonly LogRecord[]): Promise<Buffer> {
  let checksum = 0;
  const header = { format: "hearth-log", version: 1, kept: 1, length: 1 };
  const lines = [header, ...records].map((value) => {
    const line = encodeLine(value, checksum);
    ({ checksum } = line);
    return line.bytes;
  });
  await writeFile(path, Buffer.concat(lines));
  return Buffer.concat(lines);
}

test("a log of an older version is read, left as it is until something is appended, and then of this version", async () => {
  const old = await writeVersion1([ROOM, ...SMALL, commit(0)]);
  const log = await FileLog.open(directory);
  expect(await log.read()).toEqual([ROOM, ...SMALL, commit(0)]);
  expect(await readFile(path)).toEqual(old);
  await log.appendIf(5, quarantined("d1", 1));
  await log.close();
  expect((await readFile(path, "utf8")).split("\n")[0]).toContain('"version":2');
  const opened = await FileLog.open(directory);
  expect(opened.length).toBe(6);
  const state = (await opened.read()).reduce(replay, initialState());
  expect(state.durable).toEqual(
    [ROOM, ...SMALL, commit(0), quarantined("d1", 1)].reduce(replay, initialState()).durable,
  );
  await opened.close();
});

test("appendIf is a fence: of two who know the same length only one gets its record in", async () => {
  const log = await fill([]);
  const results = await Promise.allSettled(SMALL.map((record) => log.appendIf(1, record)));
  expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected"]);
  expect((results[1] as PromiseRejectedResult).reason).toBeInstanceOf(AbortedError);
  expect(await log.read()).toEqual([ROOM, SMALL[0]]);
  await log.close();
  await expect(log.appendIf(2, SMALL[1] as LogRecord)).rejects.toBeInstanceOf(AbortedError);
});

test("watchers hear each record after it is durable, until they stop", async () => {
  const log = await fill([]);
  const heard: [LogRecord, number, number][] = [];
  const stop = log.watch((record, length) => heard.push([record, length, log.bytes]));
  await log.appendIf(1, SMALL[0] as LogRecord);
  const { size } = await import("node:fs").then(({ statSync }) => statSync(path));
  stop();
  await log.appendIf(2, SMALL[1] as LogRecord);
  expect(heard).toEqual([[SMALL[0], 2, size]]);
  await log.close();
});

test("a log that grew past its bound is rewritten short, keeps counting, and folds to the same state", async () => {
  const records = randomHistory(3, 120);
  const log = await FileLog.create(directory, ROOM, { compactAboveBytes: 200_000 });
  let largest = 0;
  let rewritten = 0;
  for (const record of records.slice(1)) {
    const before = log.bytes;
    await log.appendIf(log.length, record);
    largest = Math.max(largest, log.bytes);
    if (log.bytes < before) rewritten += 1;
  }
  expect(rewritten).toBeGreaterThan(2);
  expect(largest).toBeLessThan(400_000);
  expect(log.length).toBe(120);
  await log.close();
  const opened = await FileLog.open(directory);
  expect(opened.length).toBe(120);
  const folded = (await opened.read()).reduce(replay, initialState()).durable;
  expect(folded).toEqual(records.reduce(replay, initialState()).durable);
  await opened.close();
});

test("a rewriting that was interrupted before its rename changes nothing", async () => {
  const log = await fill([...SMALL]);
  await log.close();
  await appendFile(`${path}.new`, "half a fi");
  const opened = await FileLog.open(directory);
  expect(await opened.read()).toEqual([ROOM, ...SMALL]);
  await opened.close();
});

test("records that a rewriting kept cannot be torn off", async () => {
  const log = await FileLog.create(directory, ROOM, { compactAboveBytes: 1_000 });
  await log.appendIf(1, commit(1));
  await log.close();
  await truncate(path, log.bytes - 10);
  await expect(FileLog.open(directory)).rejects.toThrow("from the last rewriting");
});
