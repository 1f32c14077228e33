import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { AbortedError, CorruptDataError, DeadlineError, MissingDataError, OptionError } from "../../src/base/errors.ts";
import { openFile } from "../../src/host/node/file-source.ts";
import { openUrl } from "../../src/host/url-source.ts";
import { SafetensorsFile } from "../../src/model/safetensors/safetensors-file.ts";
import { writeSafetensors } from "../../src/model/safetensors/write-safetensors.ts";

const large = Float32Array.from({ length: 60_000 }, (_, i) => i);
const file = writeSafetensors({
  large: { shape: [300, 200], data: large },
  small: { shape: [2], data: Float32Array.of(1, 2) },
});

const asked: string[] = [];
let server: Server;
let changes = 0;

/** A server of one file, with parts, without them, and with every fault that one meets. */
function answer(request: IncomingMessage, response: ServerResponse): void {
  const { pathname } = new URL(request.url ?? "", "http://x");
  const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
  asked.push(`${pathname} ${request.headers.range ?? "whole"}`);
  const [start, end] = range ? [Number(range[1]), Math.min(Number(range[2]) + 1, file.length)] : [0, file.length];
  const part = Buffer.from(file.subarray(start, end));
  const contentRange = `bytes ${start}-${end - 1}/${file.length}`;
  switch (pathname) {
    case "/parts":
      return void response.writeHead(206, { "content-range": contentRange }).end(part);
    case "/hidden":
      if (range === null) return void response.writeHead(200).end(part);
      return void response.writeHead(206).end(part);
    case "/whole":
      return void response.writeHead(200).end(Buffer.from(file));
    case "/compressed":
      if (range === null) return void response.writeHead(200).end(Buffer.from(file));
      return void response
        .writeHead(206, { "content-range": contentRange, "content-encoding": "gzip" })
        .end(gzipSync(part));
    case "/changing":
      return void response.writeHead(206, { "content-range": contentRange, etag: `"${changes++}"` }).end(part);
    case "/short":
      return void response.writeHead(206, { "content-range": contentRange }).end(start === 0 ? part : part.subarray(1));
    case "/silent":
      response.writeHead(206, { "content-range": contentRange, "content-length": part.length });
      return void response.write(part.subarray(0, 10));
    case "/mute":
      return;
    case "/empty":
      return void response.writeHead(416).end();
    case "/cut":
      response.writeHead(206, { "content-range": contentRange, "content-length": part.length });
      response.write(part.subarray(0, 10));
      return void setTimeout(() => response.destroy(), 20);
    default:
      return void response.writeHead(404).end("no");
  }
}

beforeAll(async () => {
  server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

function url(path: string): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
}

test("a file behind a URL is read in parts, with progress", async () => {
  asked.length = 0;
  const source = await openUrl(url("/parts"));
  expect(source.size).toBe(file.byteLength);
  const opened = await SafetensorsFile.open(source);
  expect(asked).toEqual(["/parts bytes=0-65535"]);
  const seen: number[] = [];
  const { data } = await opened.read("large", { onProgress: ({ bytesLoaded }) => seen.push(bytesLoaded) });
  expect(data).toEqual(large);
  expect(seen.at(-1)).toBe(240_000);
  expect([...seen].sort((a, b) => a - b)).toEqual(seen);
  expect(asked).toHaveLength(2);
});

test.each(["/whole", "/hidden", "/compressed"])(
  "a server that gives no usable parts (%s) is asked for the whole",
  async (path) => {
    const seen: number[] = [];
    const source = await openUrl(url(path), { onBytes: (bytes) => seen.push(bytes) });
    expect(seen.at(-1)).toBe(file.byteLength);
    const opened = await SafetensorsFile.open(source);
    expect((await opened.read("small")).data).toEqual(Float32Array.of(1, 2));
    await expect(openUrl(url(path), { bytesMax: 1_000 })).rejects.toThrow(CorruptDataError);
  },
);

test("no file, a changed file, a short answer and an empty file are one clear error each", async () => {
  await expect(openUrl(url("/none"))).rejects.toThrow(MissingDataError);
  await expect(openUrl(url("/none"))).rejects.toThrow(/expected a file, found the answer 404/);
  await expect(openUrl("http://127.0.0.1:1/x")).rejects.toThrow(MissingDataError);
  await expect(openUrl(url("/parts"), { bytesMax: 1_000 })).rejects.toThrow(OptionError);
  const changing = await SafetensorsFile.open(await openUrl(url("/changing")));
  await expect(changing.read("large")).rejects.toThrow(/of the same file, found another answer/);
  const short = await SafetensorsFile.open(await openUrl(url("/short")));
  await expect(short.read("large")).rejects.toThrow(/expected \d+ bytes, found \d+/);
  await expect(SafetensorsFile.open(await openUrl(url("/empty")))).rejects.toThrow(CorruptDataError);
  await expect(openUrl(url("/cut"))).rejects.toThrow(MissingDataError);
});

test("a server that falls silent, and a signal, end the wait", async () => {
  for (const path of ["/silent", "/mute"]) {
    await expect(openUrl(url(path), { silenceMsMax: 100 })).rejects.toThrow(DeadlineError);
    const end = new AbortController();
    const opening = openUrl(url(path), { signal: end.signal });
    setTimeout(() => end.abort(), 50);
    await expect(opening).rejects.toThrow(AbortedError);
  }
});

test("a file on disk is read in parts", async () => {
  const folder = mkdtempSync(join(tmpdir(), "hearth-source-"));
  try {
    const path = join(folder, "x.safetensors");
    writeFileSync(path, file);
    const source = await openFile(path);
    const opened = await SafetensorsFile.open(source);
    expect((await opened.read("large")).data).toEqual(large);
    await expect(source.read(0, file.byteLength + 1)).rejects.toThrow(OptionError);
    writeFileSync(path, file.subarray(0, 1_000));
    await expect(opened.read("small")).rejects.toThrow(/expected 8 bytes at \d+, found 0/);
    await expect(source.read(0, 8, { signal: AbortSignal.abort() })).rejects.toThrow(AbortedError);
    await source.close();
    await expect(openFile(join(folder, "none"))).rejects.toThrow(OptionError);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
