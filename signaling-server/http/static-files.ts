/** The built app: files of one folder, and its index for the addresses of rooms. */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { extname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { COMMON_HEADERS, sendText } from "./reply.ts";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".map": "application/json",
  ".webmanifest": "application/manifest+json",
  ".txt": "text/plain; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".webp": "image/webp",
  ".ico": "image/x-icon",
  ".woff2": "font/woff2",
  ".wasm": "application/wasm",
};

/** Names that hold a hash of their content, as Vite makes them: what they name never changes. */
const HASHED = /-[\w-]{8,}\.\w+$/;
/** A part of a path that names a file and nothing else: no dots in front, no slashes, no drives. */
const SEGMENT = /^[\w@~+][\w@~+.-]*$/;

/** Replies with the file that `pathname` names under `directory`. */
export async function serveStatic(
  directory: string | null,
  request: IncomingMessage,
  response: ServerResponse,
  pathname: string,
): Promise<void> {
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.setHeader("allow", "GET, HEAD");
    return sendText(response, 405, `${request.method} ${pathname}: expected GET or HEAD.\n`);
  }
  if (directory === null)
    return sendText(response, 503, "The app is not built: run `npm run build`, or `npm start`.\n");
  const file = resolveFile(directory, pathname);
  const found = file === null ? null : await stat(file).catch(() => null);
  if (!file || !found?.isFile()) return sendText(response, 404, "There is nothing here: check the address.\n");
  const etag = `"${found.size.toString(36)}-${Math.round(found.mtimeMs).toString(36)}"`;
  const headers = {
    ...COMMON_HEADERS,
    etag,
    "cache-control": HASHED.test(pathname) ? "public, max-age=31536000, immutable" : "no-cache",
  };
  if (request.headers["if-none-match"] === etag) {
    response.writeHead(304, headers).end();
    return;
  }
  response.writeHead(200, {
    ...headers,
    "content-type": TYPES[extname(file)] ?? "application/octet-stream",
    "content-length": found.size,
  });
  if (request.method === "HEAD") return void response.end();
  // A client that goes away in the middle is no error of ours.
  await pipeline(createReadStream(file, { end: Math.max(0, found.size - 1) }), response).catch(() => {});
}

/** Addresses that the page itself answers for, besides `/`. */
const PAGE = /^\/(?:room\/[^/]+|pool|inspect(?:\/[^/]+)?)\/?$/;

/** The file for an address, or null. */
function resolveFile(directory: string, pathname: string): string | null {
  if (pathname === "/" || PAGE.test(pathname)) return join(directory, "index.html");
  let path: string;
  try {
    path = decodeURIComponent(pathname);
  } catch {
    return null;
  }
  const segments = path.slice(1).split("/");
  return segments.every((segment) => SEGMENT.test(segment)) ? join(directory, ...segments) : null;
}
