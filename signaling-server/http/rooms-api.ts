/** Making rooms, and asking about them: `POST /api/rooms` and `GET /api/rooms/<id>`. */
import type { IncomingMessage, ServerResponse } from "node:http";
import * as v from "valibot";
import { HearthError, OptionError } from "../../src/base/errors.ts";
import type { RandomSource } from "../../src/base/random.ts";
import type { RunSpec } from "../../src/network/wire/run-spec.ts";
import { hash, MEMBERS_MAX, PRIORITY_MAX } from "../../src/network/wire/schemas.ts";
import { type Rooms, UNKNOWN_ROOM } from "../rooms/rooms.ts";
import { readJson, sendJson } from "./reply.ts";

const BODY_BYTES_MAX = 128 * 1024;
const API_PATH = "/api/rooms";

function integer(min: number, max: number): v.GenericSchema<number> {
  const sentence = `expected an integer from ${min} to ${max}`;
  return v.pipe(v.number(sentence), v.integer(sentence), v.minValue(min, sentence), v.maxValue(max, sentence));
}

function words(pattern: RegExp, sentence: string): v.GenericSchema<string> {
  return v.pipe(v.string(sentence), v.regex(pattern, sentence));
}

const WANTED = "run, seed, steps, checkpointEvery, startWith, data, from, settings, queue";

const file = {
  hash,
  bytes: integer(1, 4 * 1024 ** 3),
  name: words(/^[^\p{Cc}]{1,255}$/u, "expected a file name of 1 to 255 characters"),
};

/** What a room is asked for with. Stricter than what the wire lets through: it is kept for ever. */
const roomRequest = v.strictObject(
  {
    run: words(/^[a-z][a-z0-9-]{0,63}$/, "expected the name of a run, in lower-case letters, digits and dashes"),
    seed: v.optional(integer(0, Number.MAX_SAFE_INTEGER)),
    steps: v.optional(integer(1, 1_000_000), 200),
    checkpointEvery: v.optional(integer(1, 10_000), 5),
    startWith: v.optional(integer(1, 256)),
    data: v.nullish(v.strictObject(file, "expected an object of hash, bytes and name, and no other keys"), null),
    from: v.exactOptional(
      v.strictObject(
        { ...file, step: integer(0, 999_999) },
        "expected an object of hash, bytes, name and step, and no other keys",
      ),
    ),
    settings: v.optional(
      v.pipe(
        v.record(
          words(/^[A-Za-z][\w.-]{0,63}$/, "expected names of letters, digits, dots and dashes, 64 characters at most"),
          words(/^[^\p{Cc}]{0,1000}$/u, "expected text of at most 1000 characters on one line"),
          "expected an object of texts",
        ),
        v.maxEntries(64, "expected at most 64 settings"),
      ),
      {},
    ),
    queue: v.optional(
      v.pipe(
        v.strictObject(
          {
            priority: v.optional(integer(0, PRIORITY_MAX), 0),
            membersMin: v.optional(integer(1, MEMBERS_MAX), 1),
            membersMax: v.optional(integer(1, MEMBERS_MAX), MEMBERS_MAX),
          },
          "expected an object of priority, membersMin and membersMax, and no other keys",
        ),
        v.check(({ membersMin, membersMax }) => membersMin <= membersMax, "expected membersMin of at most membersMax"),
      ),
    ),
  },
  (issue) => `expected an object of ${WANTED}, found ${issue.received}`,
);

export interface RoomsApiOptions {
  readonly rooms: Rooms;
  readonly random: RandomSource;
}

/** True for requests that `handleRooms` answers. */
export function isRoomsApi(pathname: string): boolean {
  return pathname === API_PATH || pathname.startsWith(`${API_PATH}/`);
}

export async function handleRooms(
  options: RoomsApiOptions,
  request: IncomingMessage,
  response: ServerResponse,
  pathname: string,
): Promise<void> {
  const isCollection = pathname === API_PATH;
  const allowed = isCollection ? ["POST"] : ["GET", "HEAD"];
  if (!allowed.includes(request.method ?? "")) {
    response.setHeader("allow", allowed.join(", "));
    return sendJson(response, 405, { error: `${request.method} ${pathname}: expected ${allowed.join(" or ")}.` });
  }
  try {
    if (isCollection) await create(options, request, response);
    else await tell(options, response, pathname.slice(API_PATH.length + 1));
  } catch (error) {
    if (!(error instanceof HearthError)) throw error;
    if (error.code !== "option") return sendJson(response, 500, { error: storageReason(error) });
    // What is left of a body that is too large is not worth reading.
    if (!request.complete) response.setHeader("connection", "close");
    sendJson(response, 400, { error: error.message });
  }
}

function storageReason(error: HearthError): string {
  return error.code === "quota"
    ? "The server's disk is full, or cannot be read or written."
    : "This room's log on the server is damaged: start another room.";
}

async function create(options: RoomsApiOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const host = request.headers.host ?? "localhost";
  const origin = originOf(request);
  if (origin !== null && origin?.host !== host) {
    return sendJson(response, 403, { error: `A page of ${request.headers.origin} cannot make rooms on ${host}.` });
  }
  const spec = parseRoomRequest(await readJson(request, BODY_BYTES_MAX), options.random);
  const made = await options.rooms.create(spec);
  if (typeof made !== "string") return sendJson(response, 503, { error: made.reason });
  const base = origin?.origin ?? `http://${host}`;
  sendJson(response, 201, { room: made, url: `${base}/room/${made}` });
}

/** The page that asks; null for what is no page; undefined for one that hides where it comes from. */
function originOf(request: IncomingMessage): URL | null | undefined {
  const { origin } = request.headers;
  if (origin === undefined) return null;
  return URL.canParse(origin) ? new URL(origin) : undefined;
}

async function tell(options: RoomsApiOptions, response: ServerResponse, room: string): Promise<void> {
  const summary = await options.rooms.summary(room);
  if (summary) sendJson(response, 200, summary);
  else sendJson(response, 404, { error: UNKNOWN_ROOM.reason });
}

/** A request's body as a run; what it leaves out gets a default, the seed a random one. @throws OptionError */
export function parseRoomRequest(body: unknown, random: RandomSource): RunSpec {
  const result = v.safeParse(roomRequest, body, { abortEarly: true, abortPipeEarly: true });
  if (!result.success) {
    const [issue] = result.issues;
    const path = v.getDotPath(issue);
    throw new OptionError(`new room: ${path === null ? "" : `${path.slice(0, 80)}: `}${issue.message.slice(0, 200)}`);
  }
  const { steps, from } = result.output;
  if (from && from.step >= steps) {
    throw new OptionError(
      `new room: steps: expected more than the ${from.step} that “${from.name}” has done, found ${steps}`,
    );
  }
  const [a = 0, b = 0, c = 0, d = 0] = random(4);
  const { queue, ...wanted } = result.output;
  const seed = wanted.seed ?? ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
  // A run of the pool gets its members at once, and starts with all of them.
  const startWith = wanted.startWith ?? queue?.membersMin ?? 1;
  return { ...wanted, seed, startWith, ...(queue ? { queue } : {}) };
}
