/** Requests in, replies out: the little of HTTP that every handler needs. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { OptionError } from "../../src/base/errors.ts";

/**
 * On every reply. The first three isolate the page, so that it may use SharedArrayBuffer; the address of a room is its
 * key, so it must not travel as a referrer.
 */
export const COMMON_HEADERS: Readonly<Record<string, string>> = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
  "cross-origin-resource-policy": "same-origin",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
};

export function sendText(
  response: ServerResponse,
  status: number,
  text: string,
  type = "text/plain; charset=utf-8",
): void {
  response.writeHead(status, {
    ...COMMON_HEADERS,
    "content-type": type,
    "content-length": Buffer.byteLength(text),
    "cache-control": "no-store",
  });
  response.end(response.req.method === "HEAD" ? undefined : text);
}

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  sendText(response, status, `${JSON.stringify(value)}\n`, "application/json");
}

/** A request's JSON. @throws OptionError with one sentence when it is larger than `bytesMax` or no JSON */
export async function readJson(request: IncomingMessage, bytesMax: number): Promise<unknown> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.byteLength;
    if (bytes > bytesMax) throw new OptionError(`request: expected a body of at most ${bytesMax} bytes, found more`);
    parts.push(part);
  }
  try {
    return JSON.parse(Buffer.concat(parts).toString()) as unknown;
  } catch (cause) {
    throw new OptionError("request: expected a body of JSON, found other text", { cause });
  }
}
