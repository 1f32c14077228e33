/** Asking the server for a room, with the data file named by its content. */
import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { basename } from "node:path";
import { OptionError, PeerLostError } from "../../src/base/errors.ts";
import type { DataSpec } from "../../src/network/wire/messages.ts";
import type { SwarmOptions } from "./options.ts";

/** As much as a page takes: the file travels to every tab. */
const FILE_BYTES_MAX = 64 * 1024 * 1024;
const NAME_CHARACTERS_MAX = 200;
const ANSWER_MS_MAX = 20_000;

/** The file at `path` as rooms know it. @throws OptionError for one that no page would take */
export function describeData(path: string): DataSpec {
  const { size } = statSync(path);
  const name = basename(path).slice(0, NAME_CHARACTERS_MAX);
  if (size > FILE_BYTES_MAX) {
    const found = Math.round(size / 1024 / 1024);
    throw new OptionError(
      `--text: expected at most ${FILE_BYTES_MAX / 1024 / 1024} MB, found ${found} MB in "${name}"`,
    );
  }
  const bytes = readFileSync(path);
  if (!isText(bytes)) throw new OptionError(`--text: expected text in UTF-8, found other bytes in "${name}"`);
  return { hash: createHash("sha256").update(bytes).digest("hex"), bytes: size, name };
}

function isText(bytes: Uint8Array): boolean {
  try {
    return !new TextDecoder("utf-8", { fatal: true }).decode(bytes).includes("\0");
  } catch {
    return false;
  }
}

/** A new room for the run that `options` ask for: its id. @throws OptionError when the server refuses, PeerLostError when it fails */
export async function createRoom(origin: string, options: SwarmOptions, data: DataSpec | null): Promise<string> {
  const { run, seed, steps, checkpointEvery, tabs, settings } = options;
  const every = checkpointEvery === null ? {} : { checkpointEvery };
  const response = await fetch(new URL("/api/rooms", origin), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ run, seed, steps, startWith: tabs, data, settings, ...every }),
    signal: AbortSignal.timeout(ANSWER_MS_MAX),
  });
  const answer = (await response.json().catch(() => ({}))) as { room?: string; error?: string };
  if (response.ok && answer.room) return answer.room;
  const reason = answer.error ?? `the server answered ${response.status}`;
  if (response.status >= 400 && response.status < 500) throw new OptionError(`creating the room: ${reason}`);
  throw new PeerLostError("server", `creating the room: ${reason}`);
}
