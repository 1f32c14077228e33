import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { testServer, type TestServer } from "./support.ts";

let server: TestServer;
let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "hearth-app-"));
  const app = join(root, "dist");
  await mkdir(join(app, "assets"), { recursive: true });
  await writeFile(join(root, "secret.txt"), "secret");
  await writeFile(join(app, ".built"), "secret");
  await writeFile(join(app, "index.html"), "<title>hearth</title>");
  await writeFile(join(app, "empty.txt"), "");
  await writeFile(join(app, "assets", "main-BxY_12ab.js"), "export {};");
  await writeFile(join(app, "assets", "kernels.wasm"), "wasm");
  server = await testServer({ appDirectory: app });
});

afterAll(async () => {
  await server.end();
  await rm(root, { recursive: true });
});

/** The reply to a path that is sent as it is: `fetch` would tidy it up first. */
function raw(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(server.port, "localhost", () => {
      socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    });
    let text = "";
    socket.on("data", (chunk) => (text += chunk.toString()));
    socket.on("close", () => resolve(text));
    socket.on("error", reject);
  });
}

test("the page answers at / and for every room, isolated from other origins and never kept", async () => {
  for (const path of ["/", "/room/abc", "/room/abc/", "/?x=1", "/room/abc?device=webgpu"]) {
    const response = await fetch(server.origin + path);
    expect(response.status, path).toBe(200);
    expect(await response.text()).toBe("<title>hearth</title>");
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-cache",
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-embedder-policy": "require-corp",
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
    });
  }
});

test("files have their types, and those named by their content are kept for ever", async () => {
  const script = await fetch(`${server.origin}/assets/main-BxY_12ab.js`);
  expect(script.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
  expect(script.headers.get("cache-control")).toContain("immutable");
  const wasm = await fetch(`${server.origin}/assets/kernels.wasm`);
  expect(wasm.headers.get("content-type")).toBe("application/wasm");
  expect(wasm.headers.get("cache-control")).toBe("no-cache");
  expect(await (await fetch(`${server.origin}/empty.txt`)).text()).toBe("");
});

test("a file that has not changed is not sent again, a HEAD sends none, other methods are refused", async () => {
  const first = await fetch(server.origin);
  const etag = first.headers.get("etag") ?? "";
  expect((await fetch(server.origin, { headers: { "if-none-match": etag } })).status).toBe(304);
  const head = await fetch(server.origin, { method: "HEAD" });
  expect([head.status, head.headers.get("content-length"), await head.text()]).toEqual([200, "21", ""]);
  expect((await fetch(server.origin, { method: "DELETE" })).status).toBe(405);
});

test("nothing outside the app's folder can be had, nor what is hidden in it", async () => {
  const paths = [
    "/../secret.txt",
    "/assets/../../secret.txt",
    "/..%2fsecret.txt",
    "/%2e%2e/secret.txt",
    "/assets/..%5c..%5csecret.txt",
    "//etc/passwd",
    "/etc/passwd",
    "/.built",
    "/%2ebuilt",
    "/assets",
    "/assets/",
    "/index.html%00.js",
    "/%zz",
    "/nothing.js",
    "/room/a/../../../secret.txt",
    "http://localhost/../secret.txt",
  ];
  for (const path of paths) {
    const reply = await raw(path);
    expect(reply, path).toMatch(/^HTTP\/1\.1 404 /);
    expect(reply, path).not.toContain("secret");
  }
});

test("a server without a built app says so", async () => {
  const bare = await testServer();
  const response = await fetch(bare.origin);
  expect([response.status, await response.text()]).toEqual([503, expect.stringContaining("not built")]);
  await bare.end();
});
