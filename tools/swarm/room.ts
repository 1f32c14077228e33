/** Asking the server for a room, with its files named by their content. */
import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { basename } from "node:path";
import type { Bytes } from "../../src/base/bytes.ts";
import { describeError, OptionError, PeerLostError } from "../../src/base/errors.ts";
import type { DataSpec, ImportSpec } from "../../src/network/wire/run-spec.ts";
import { readPosition, type RunPosition } from "../../src/training/checkpoint/run-position.ts";
import type { SwarmOptions } from "./options.ts";

/** As much as a page takes: the file travels to every tab. */
const FILE_BYTES_MAX = 64 * 1024 * 1024;
const NAME_CHARACTERS_MAX = 200;
const ANSWER_MS_MAX = 20_000;

/** The files of a run as rooms know them. */
export interface RoomFiles {
  readonly data: DataSpec | null;
  readonly from: ImportSpec | null;
}

/** Those that `options` name. @throws OptionError for one that no page would take */
export function describeFiles({ text, from, run, steps }: SwarmOptions): RoomFiles {
  return {
    data: text === null ? null : describeData(text),
    from: from === null ? null : describeState(from, run, steps),
  };
}

function describeData(path: string): DataSpec {
  const bytes = readLimited("--text", path);
  const name = basename(path).slice(0, NAME_CHARACTERS_MAX);
  if (!isText(bytes)) throw new OptionError(`--text: expected text in UTF-8, found other bytes in "${name}"`);
  return specOf(bytes, name);
}

function describeState(path: string, run: string, steps: number): ImportSpec {
  const bytes = readLimited("--from", path);
  const name = basename(path).slice(0, NAME_CHARACTERS_MAX);
  const position = positionOf(name, bytes);
  if (position.run !== run)
    throw new OptionError(`--from: expected a checkpoint of ${run}, found one of ${position.run}`);
  if (position.step >= steps) {
    throw new OptionError(`--steps: expected more than the ${position.step} that "${name}" has done, found ${steps}`);
  }
  return { ...specOf(bytes, name), step: position.step };
}

function positionOf(name: string, bytes: Bytes): RunPosition {
  try {
    return readPosition(bytes);
  } catch (cause) {
    throw new OptionError(`--from: expected an exported checkpoint, found "${name}": ${describeError(cause)}`, {
      cause,
    });
  }
}

function readLimited(option: string, path: string): Bytes {
  const { size } = statSync(path);
  if (size <= FILE_BYTES_MAX) return new Uint8Array(readFileSync(path));
  const found = Math.round(size / 1024 / 1024);
  throw new OptionError(
    `${option}: expected at most ${FILE_BYTES_MAX / 1024 / 1024} MB, found ${found} MB in "${basename(path)}"`,
  );
}

function specOf(bytes: Bytes, name: string): DataSpec {
  return { hash: createHash("sha256").update(bytes).digest("hex"), bytes: bytes.byteLength, name };
}

function isText(bytes: Uint8Array): boolean {
  try {
    return !new TextDecoder("utf-8", { fatal: true }).decode(bytes).includes("\0");
  } catch {
    return false;
  }
}

/** A new room for the run that `options` ask for: its id. @throws OptionError when the server refuses, PeerLostError when it fails */
export async function createRoom(origin: string, options: SwarmOptions, { data, from }: RoomFiles): Promise<string> {
  const { run, seed, steps, checkpointEvery, tabs, settings } = options;
  const optional = { ...(checkpointEvery === null ? {} : { checkpointEvery }), ...(from === null ? {} : { from }) };
  const response = await fetch(new URL("/api/rooms", origin), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ run, seed, steps, startWith: tabs, data, settings, ...optional }),
    signal: AbortSignal.timeout(ANSWER_MS_MAX),
  });
  const answer = (await response.json().catch(() => ({}))) as { room?: string; error?: string };
  if (response.ok && answer.room) return answer.room;
  const reason = answer.error ?? `the server answered ${response.status}`;
  if (response.status >= 400 && response.status < 500) throw new OptionError(`creating the room: ${reason}`);
  throw new PeerLostError("server", `creating the room: ${reason}`);
}
