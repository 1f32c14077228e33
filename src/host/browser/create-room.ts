/** Making a room: checks the file, names it by content, and asks the server for a link. */
import { OptionError } from "../../base/errors.ts";
import { toHex } from "../../base/bytes.ts";
import type { DataSpec, ImportSpec, QueueSpec } from "../../network/wire/run-spec.ts";

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
  /** An exported checkpoint of this run: the room goes on from it, with its seed unless told; `steps` count from its run's beginning. */
  readonly from?: File | null;
  /** For a run that the server's pool trains. */
  readonly queue?: QueueSpec;
}

const offered: File[] = [];

/** Files that rooms were made with on this page: the room's own page hands them to its engine. */
export function offeredFiles(): readonly File[] {
  return offered;
}

/** A new room on the server at `origin`. @throws OptionError with one sentence for people */
export async function createRoom(origin: string | URL, options: RoomOptions): Promise<{ room: string; url: string }> {
  const data = options.file ? await checkedFile(options.file) : null;
  const { run, settings, steps, queue } = options;
  const state = options.from ? await checkedState(options.from, run) : null;
  const seed = options.seed ?? state?.seed ?? crypto.getRandomValues(new Uint32Array(1))[0];
  const optional = {
    ...(steps === undefined ? {} : { steps }),
    ...(state ? { from: state.from } : {}),
    ...(queue ? { queue } : {}),
  };
  const body = { run, seed, data, settings: settings ?? {}, ...optional };
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
  for (const file of [options.file, options.from]) if (file) offered.push(file);
  return { room: answer.room, url: answer.url ?? new URL(`/room/${answer.room}`, origin).href };
}

async function checkedFile(file: File): Promise<DataSpec> {
  if (file.size === 0) throw new OptionError(`“${file.name}” is empty: choose a file with some text in it.`);
  checkSize(file);
  await checkText(file);
  return describe(file);
}

/** @throws OptionError for a file that is no checkpoint of `run` */
async function checkedState(file: File, run: string): Promise<{ from: ImportSpec; seed: number }> {
  checkSize(file);
  const position = await positionOf(file);
  if (position.run !== run) {
    throw new OptionError(`“${file.name}” is a checkpoint of the run ${position.run}; this room trains ${run}.`);
  }
  return { from: { ...(await describe(file)), step: position.step }, seed: position.seed };
}

/** As much of the file's header as a room needs: the engine checks all of it, and a page carries no engine. */
async function positionOf(file: File): Promise<{ run: string; seed: number; step: number }> {
  try {
    const length = new DataView(await file.slice(0, 8).arrayBuffer()).getBigUint64(0, true);
    const header = JSON.parse(await file.slice(8, 8 + Number(length)).text()) as { __metadata__: { hearth: string } };
    const { run, seed, step } = JSON.parse(header.__metadata__.hearth) as Record<string, unknown>;
    if (typeof run === "string" && typeof seed === "number" && typeof step === "number") return { run, seed, step };
  } catch {
    // Falls through to the sentence below.
  }
  throw new OptionError(`“${file.name}” is not a checkpoint that hearth exported: it says no run and step.`);
}

function checkSize(file: File): void {
  if (file.size <= FILE_BYTES_MAX) return;
  throw new OptionError(
    `“${file.name}” has ${Math.round(file.size / 1024 / 1024)} MB; the most that travels to every tab is ${FILE_BYTES_MAX / 1024 / 1024} MB.`,
  );
}

async function describe(file: File): Promise<DataSpec> {
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
