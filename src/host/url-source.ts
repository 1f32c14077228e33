/**
 * A file behind a URL, read in parts with Range headers; whole where the server ignores them. Works wherever there is
 * `fetch`: browsers, workers, Node. Other origins must allow it (CORS), and show Content-Range for parts.
 */
import { concatBytes } from "../base/bytes.ts";
import type { Bytes } from "../base/bytes.ts";
import { systemClock } from "../base/clock.ts";
import type { Clock } from "../base/clock.ts";
import { AbortedError, CorruptDataError, HearthError, MissingDataError, OptionError } from "../base/errors.ts";
import { withDeadline } from "../base/wait.ts";
import { bytesSource, checkRange } from "../model/safetensors/ranged-source.ts";
import type { RangedSource, ReadOptions } from "../model/safetensors/ranged-source.ts";

/** Options of `openUrl`. */
export interface UrlSourceOptions extends ReadOptions {
  /** The platform's by default. */
  readonly fetch?: typeof fetch;
  /** How long nothing may come, in milliseconds; 30,000 by default. */
  readonly silenceMsMax?: number;
  readonly clock?: Clock;
  /** Refuse files that are larger. */
  readonly bytesMax?: number;
}

interface Connection {
  readonly url: string;
  readonly fetch: typeof fetch;
  readonly silenceMs: number;
  readonly clock: Clock;
}

/** Asked for first: most headers of safetensors files are shorter, and are then not asked for again. */
const FIRST_BYTES = 65_536;

/**
 * Asks for the beginning, and so learns the size and whether the server gives parts. If it does not, the whole file is
 * downloaded now and kept, with `onBytes` called as it comes.
 * @throws CorruptDataError for another answer than a file; DeadlineError; AbortedError; OptionError
 */
export async function openUrl(url: string | URL, options: UrlSourceOptions = {}): Promise<RangedSource> {
  const { signal, onBytes, bytesMax = Infinity } = options;
  const connection: Connection = {
    url: String(url),
    fetch: options.fetch ?? globalThis.fetch.bind(globalThis),
    silenceMs: options.silenceMsMax ?? 30_000,
    clock: options.clock ?? systemClock,
  };
  const { url: name } = connection;
  const answer = await ask(connection, { range: [0, FIRST_BYTES], signal });
  const range = answer.status === 206 && !isEncoded(answer) ? contentRange(answer) : null;
  if (range === null) {
    // Parts whose place is not shown are of no use.
    const whole = answer.status === 206 ? await ask(connection, { signal, replaced: answer }) : answer;
    return bytesSource(await bodyOf(connection, whole, { signal, onBytes, bytesMax }), name);
  }
  if (range.total > bytesMax) {
    void answer.body?.cancel();
    throw new OptionError(`${name}: expected at most ${bytesMax} bytes, found ${range.total}`);
  }
  const expected = Math.min(FIRST_BYTES, range.total);
  const first = await bodyOf(connection, answer, { signal, bytesMax: expected });
  if (range.start !== 0 || range.end !== expected || first.byteLength !== expected) {
    throw new CorruptDataError(`${name}: expected its first ${expected} bytes, found ${first.byteLength}`);
  }
  return new UrlSource(connection, range.total, first, answer.headers.get("etag"));
}

class UrlSource implements RangedSource {
  readonly name: string;
  readonly size: number;
  readonly #connection: Connection;
  readonly #first: Bytes;
  readonly #etag: string | null;

  constructor(connection: Connection, size: number, first: Bytes, etag: string | null) {
    this.name = connection.url;
    this.size = size;
    this.#connection = connection;
    this.#first = first;
    this.#etag = etag;
  }

  async read(start: number, end: number, options: ReadOptions = {}): Promise<Bytes> {
    checkRange(this, start, end);
    if (end <= this.#first.byteLength) {
      options.onBytes?.(end - start);
      return this.#first.slice(start, end);
    }
    const answer = await ask(this.#connection, { range: [start, end], signal: options.signal });
    const range = answer.status === 206 ? contentRange(answer) : null;
    const etag = answer.headers.get("etag");
    const isSame = range?.start === start && range.end === end && range.total === this.size && etag === this.#etag;
    if (!isSame) {
      void answer.body?.cancel();
      throw new CorruptDataError(
        `${this.name}: expected bytes ${start} to ${end} of the same file, found another answer (${answer.status})`,
      );
    }
    const bytes = await bodyOf(this.#connection, answer, { ...options, bytesMax: end - start });
    if (bytes.byteLength !== end - start) {
      throw new CorruptDataError(`${this.name}: expected ${end - start} bytes, found ${bytes.byteLength}`);
    }
    return bytes;
  }
}

interface Asking {
  readonly range?: readonly [start: number, end: number];
  readonly signal?: AbortSignal | undefined;
  /** An earlier answer that is not wanted. */
  readonly replaced?: Response;
}

async function ask(connection: Connection, { range, signal, replaced }: Asking): Promise<Response> {
  void replaced?.body?.cancel();
  const headers = range === undefined ? {} : { Range: `bytes=${range[0]}-${range[1] - 1}` };
  const stop = new AbortController();
  const answering = connection.fetch(connection.url, { headers, signal: stop.signal });
  const response = await guarded(connection, answering, signal, () => stop.abort());
  // An empty file has no range that it could give.
  if (response.status === 416) return new Response(new Uint8Array(0));
  if (response.status === 200 || response.status === 206) return response;
  void response.body?.cancel();
  throw new MissingDataError([], `${connection.url}: expected a file, found the answer ${response.status}`);
}

interface BodyOptions extends ReadOptions {
  readonly bytesMax: number;
}

/** All of an answer's body. Memory grows with what has come, not with what was announced. */
async function bodyOf(
  connection: Connection,
  answer: Response,
  { signal, onBytes, bytesMax }: BodyOptions,
): Promise<Bytes> {
  const reader = answer.body?.getReader();
  if (reader === undefined) return new Uint8Array(0);
  const parts: Bytes[] = [];
  let total = 0;
  for (;;) {
    const reading = reader.read();
    const { done, value } = await guarded(connection, reading, signal, () => void reader.cancel().catch(() => {}));
    if (done) return concatBytes(parts);
    parts.push(value);
    total += value.byteLength;
    if (total > bytesMax) {
      void reader.cancel().catch(() => {});
      throw new CorruptDataError(`${connection.url}: expected at most ${bytesMax} bytes, found more`);
    }
    onBytes?.(total);
  }
}

/** `promise` within the silence allowed; `stop` is called when it fails or is given up. */
async function guarded<T>(
  { url, clock, silenceMs }: Connection,
  promise: Promise<T>,
  signal: AbortSignal | undefined,
  stop: () => void,
): Promise<T> {
  try {
    return await withDeadline(url, promise, clock, { deadlineMs: silenceMs, signal });
  } catch (error) {
    stop();
    if (error instanceof HearthError) throw error;
    if (signal?.aborted === true) throw new AbortedError(`${url}: aborted`, { cause: error });
    const message = error instanceof Error ? error.message : String(error);
    throw new MissingDataError([], `${url}: expected an answer, found none: ${message}`, { cause: error });
  }
}

/** Parts of a compressed answer are no parts of the file. */
function isEncoded(answer: Response): boolean {
  const encoding = answer.headers.get("content-encoding");
  return encoding !== null && encoding !== "identity";
}

/** The place that a part says it has: `bytes 0-9/100`. Null when it does not say. */
function contentRange(answer: Response): { start: number; end: number; total: number } | null {
  const [, start, last, total] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(answer.headers.get("content-range") ?? "") ?? [];
  if (start === undefined || last === undefined || total === undefined) return null;
  return { start: Number(start), end: Number(last) + 1, total: Number(total) };
}
