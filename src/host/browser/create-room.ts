/** Making a room: checks the file, names it by content, and asks the server for a link. */
import { OptionError } from "../../base/errors.ts";
import { toHex } from "../../base/bytes.ts";
import type { DataSpec } from "../../network/wire/messages.ts";

/** The largest data file: it travels to every member and is kept by each. */
export const FILE_BYTES_MAX: number = 64 * 1024 * 1024;

const PIECE_BYTES = 1024 * 1024;
const ANSWER_MS_MAX = 10_000;

/** What a room trains. */
export interface RoomOptions {
  /** Name of a run that the site serves. */
  readonly run: string;
  /** Random by default. */
  readonly seed?: number;
  readonly steps?: number;
  /** The run's data; its own default data without one. */
  readonly file?: File | null;
  readonly settings?: Readonly<Record<string, string>>;
}

const offered: File[] = [];

/** Files that rooms were made with on this page: the room's own page hands them to its engine. */
export function offeredFiles(): readonly File[] {
  return offered;
}

/** A new room on the server at `origin`. @throws OptionError with one sentence for people */
export async function createRoom(origin: string | URL, options: RoomOptions): Promise<{ room: string; url: string }> {
  const data = options.file ? await checkedFile(options.file) : null;
  const { run, settings, steps } = options;
  const seed = options.seed ?? crypto.getRandomValues(new Uint32Array(1))[0];
  const body = { run, seed, data, settings: settings ?? {}, ...(steps === undefined ? {} : { steps }) };
  const response = await fetch(new URL("/api/rooms", origin), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(ANSWER_MS_MAX),
  }).catch((cause: unknown) => {
    throw new OptionError("The server does not answer: is it still running?", { cause });
  });
  const answer = (await response.json().catch(() => ({}))) as { room?: string; url?: string; error?: string };
  if (!response.ok || !answer.room)
    throw new OptionError(answer.error ?? `The server refused the room (${response.status}).`);
  if (options.file) offered.push(options.file);
  return { room: answer.room, url: answer.url ?? new URL(`/room/${answer.room}`, origin).href };
}

async function checkedFile(file: File): Promise<DataSpec> {
  if (file.size === 0) throw new OptionError(`“${file.name}” is empty: choose a file with some text in it.`);
  if (file.size > FILE_BYTES_MAX) {
    throw new OptionError(
      `“${file.name}” has ${Math.round(file.size / 1024 / 1024)} MB; the most that travels to every tab is ${FILE_BYTES_MAX / 1024 / 1024} MB.`,
    );
  }
  await checkText(file);
  const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
  return { hash: toHex(new Uint8Array(digest)), bytes: file.size, name: file.name.slice(0, 200) };
}

/** In pieces, so that the page stays responsive. */
async function checkText(file: File): Promise<void> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  for (let at = 0; at < file.size; at += PIECE_BYTES) {
    const piece = await file.slice(at, at + PIECE_BYTES).arrayBuffer();
    try {
      if (!decoder.decode(piece, { stream: at + PIECE_BYTES < file.size }).includes("\0")) continue;
    } catch {
      // Not UTF-8: falls through to the sentence below.
    }
    throw new OptionError(`“${file.name}” is not text (UTF-8): hearth's runs learn from plain text files.`);
  }
}
