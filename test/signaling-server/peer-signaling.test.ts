import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import { hello } from "./samples.ts";
import { createRoom, eventually, metric, testServer, type TestServer, TestSocket } from "./support.ts";

let server: TestServer;

beforeAll(async () => {
  server = await testServer();
});

afterAll(() => server.end());

/** As the `peerjs` client does it with `path: "/peerjs"`. */
function signalingSocket(id: string): {
  socket: WebSocket;
  heard: { type: string; src?: string; payload?: unknown }[];
} {
  const url = `${server.origin.replace("http", "ws")}/peerjs/peerjs?key=peerjs&id=${id}&token=t&version=1.5.5`;
  const socket = new WebSocket(url);
  const heard: { type: string; src?: string; payload?: unknown }[] = [];
  socket.on("message", (data: Buffer) => heard.push(JSON.parse(data.toString()) as { type: string }));
  socket.on("error", () => {});
  return { socket, heard };
}

test("the id endpoint answers, discovery does not", async () => {
  const id = await (await fetch(`${server.origin}/peerjs/peerjs/id?ts=1&version=1.5.5`)).text();
  expect(id).toMatch(/^[0-9a-f-]{36}$/);
  expect((await fetch(`${server.origin}/peerjs/peerjs/peers`)).status).toBe(401);
});

test("offers travel from one peer to the other, beside the coordinator's sockets on the same port", async () => {
  const room = await createRoom(server.origin);
  const member = await TestSocket.open(server.origin, hello(room));
  const [a, b] = [signalingSocket("peer-a"), signalingSocket("peer-b")];
  await eventually("two open peers", () => [a, b].every(({ heard }) => heard[0]?.type === "OPEN"));
  a.socket.send(JSON.stringify({ type: "OFFER", dst: "peer-b", payload: { sdp: "x" } }));
  await eventually("the offer", () => b.heard.length === 2);
  expect(b.heard[1]).toMatchObject({ type: "OFFER", src: "peer-a", payload: { sdp: "x" } });
  expect(await metric(server.origin, "hearth_peerjs_sockets")).toBe(2);
  await member.hear("welcome");
  for (const { socket } of [a, b]) socket.close();
  member.close();
});

test("random messages, huge ones and broken addresses do not disturb anybody", async () => {
  const good = signalingSocket("good");
  await eventually("an open peer", () => good.heard.length === 1);
  for (const message of ["no json", "null", "[]", '{"type":"OFFER","dst":{}}', '{"type":7}', "x".repeat(400_000)]) {
    const bad = signalingSocket(`bad${message.length}`);
    await eventually("an open peer", () => bad.heard.length === 1);
    bad.socket.send(message);
    await eventually("an answer or none", () => bad.socket.bufferedAmount === 0);
    bad.socket.close();
  }
  const broken = await fetch(`${server.origin}/peerjs/%E0%A4%A`);
  expect([broken.status, await broken.text()]).toEqual([400, "PeerJS signaling does not understand this request.\n"]);
  expect((await fetch(`${server.origin}/peerjs/a/b/c`)).status).toBe(404);
  const wrongPath = new WebSocket(`${server.origin.replace("http", "ws")}/peerjs/other`);
  const status = await new Promise((resolve) => wrongPath.on("error", (error) => resolve(error.message)));
  expect(status).toBe("Unexpected server response: 400");
  expect(good.socket.readyState).toBe(WebSocket.OPEN);
  good.socket.close();
  expect((await fetch(`${server.origin}/healthz`)).status).toBe(200);
});
