/** What tabs need to be served: a PeerServer, and the site with its page and engine worker. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import http from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { PeerServer } from "peer";
import { build } from "vite";

const SITE = fileURLToPath(new URL("./site", import.meta.url));

/** A server that can be ended with all its sockets, and started again on its port. */
export interface Ended {
  readonly port: number;
  end(): Promise<void>;
}

/** PeerServer on `port`, or on a free one. */
export function startPeerServer(port: number = 0): Promise<Ended> {
  return new Promise((resolve) => {
    let server: http.Server;
    PeerServer({ port, path: "/peerjs", host: "127.0.0.1", expire_timeout: 1_500 }, (made) => {
      server = made as http.Server;
      void closable(server).then(resolve);
    });
  });
}

/** The page and its worker, bundled and served. */
export async function serveSite(): Promise<Ended> {
  const outDir = await mkdtemp(path.join(tmpdir(), "hearth-site-"));
  await build({
    root: SITE,
    configFile: false,
    logLevel: "error",
    worker: { format: "es" },
    build: { outDir, emptyOutDir: true, target: "esnext", minify: false, modulePreload: false },
  });
  const types: Record<string, string> = { ".html": "text/html", ".js": "text/javascript" };
  const server = http.createServer((request, response) => {
    const name = new URL(request.url ?? "/", "http://site").pathname;
    const file = path.join(outDir, name === "/" ? "index.html" : path.normalize(name));
    readFile(file).then(
      (body) => response.setHeader("content-type", types[path.extname(file)] ?? "text/plain").end(body),
      () => response.writeHead(404).end(),
    );
  });
  const ended = await closable(server.listen(0, "127.0.0.1"));
  return {
    port: ended.port,
    end: async () => {
      await ended.end();
      await rm(outDir, { recursive: true, force: true });
    },
  };
}

async function closable(server: http.Server): Promise<Ended> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  if (!server.listening) await new Promise((resolve) => server.once("listening", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    end: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
