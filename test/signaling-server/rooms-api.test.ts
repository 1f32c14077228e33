import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseRoomRequest } from "../../signaling-server/http/rooms-api.ts";
import { isRoomId, makeRoomId } from "../../signaling-server/rooms/room-id.ts";
import { createRoom, testServer, type TestServer } from "./support.ts";

let server: TestServer;

beforeAll(async () => {
  server = await testServer({ roomsStoredMax: 5 });
});

afterAll(() => server.end());

async function post(body: string, headers: Record<string, string> = {}): Promise<{ status: number; answer: object }> {
  const response = await fetch(`${server.origin}/api/rooms`, { method: "POST", body, headers });
  return { status: response.status, answer: (await response.json()) as object };
}

test("a new room has a name nobody can guess and a link, and tells what it trains", async () => {
  const data = { hash: "ab".repeat(32), bytes: 100, name: "über Feuer.txt" };
  const request = {
    run: "char-gpt",
    seed: 7,
    steps: 60,
    checkpointEvery: 3,
    startWith: 4,
    data,
    settings: { lr: "1" },
  };
  const { status, answer } = await post(JSON.stringify(request), { origin: server.origin });
  const { room } = answer as { room: string };
  expect(status).toBe(201);
  expect(room).toMatch(/^[a-z0-9]{26}$/);
  expect(answer).toEqual({ room, url: `${server.origin}/room/${room}` });
  const summary = await fetch(`${server.origin}/api/rooms/${room}`);
  expect(summary.status).toBe(200);
  expect(await summary.json()).toEqual({ run: "char-gpt", step: 0, members: 0, spec: request });
});

test("what a request leaves out gets a default, and a seed of its own", () => {
  const specs = [0, 1].map(() => parseRoomRequest({ run: "digits" }, randomBytes));
  expect(specs[0]).toMatchObject({ run: "digits", steps: 200, checkpointEvery: 5, startWith: 1, data: null });
  expect(specs[0]?.seed).not.toBe(specs[1]?.seed);
});

test("a room that goes on from a checkpoint says which, and must have steps left", () => {
  const from = { hash: "cd".repeat(32), bytes: 5_000, name: "addition.safetensors", step: 10 };
  expect(parseRoomRequest({ run: "addition", steps: 20, from }, randomBytes).from).toEqual(from);
  expect(() => parseRoomRequest({ run: "addition", steps: 10, from }, randomBytes)).toThrow(
    "new room: steps: expected more than the 10 that “addition.safetensors” has done, found 10",
  );
  expect(() => parseRoomRequest({ run: "addition", from: { ...from, step: -1 } }, randomBytes)).toThrow("from.step");
});

test("names of rooms use every letter and never repeat; nothing else is one", () => {
  const names = Array.from({ length: 500 }, () => makeRoomId(randomBytes));
  expect(new Set(names).size).toBe(500);
  expect(new Set(names.join("")).size).toBe(32);
  expect(names.every(isRoomId)).toBe(true);
  for (const text of ["", "a", "../".repeat(9), "a".repeat(25), "a".repeat(27), "A".repeat(26), `${"a".repeat(25)}/`]) {
    expect(isRoomId(text), text).toBe(false);
  }
});

describe("one clear sentence and status 400 for", () => {
  test.each([
    ["no JSON", "hello", "expected a body of JSON"],
    ["a list", "[]", "expected an object of run"],
    ["no run", "{}", "run"],
    ["a run with slashes", '{"run":"../etc"}', "run: expected the name of a run"],
    ["an unknown key", '{"run":"digits","step":3}', 'found "step"'],
    ["steps as text", '{"run":"digits","steps":"60"}', "steps: expected an integer from 1 to 1000000"],
    ["no steps at all", '{"run":"digits","steps":0}', "steps: expected an integer from 1 to 1000000"],
    ["half a seed", '{"run":"digits","seed":0.5}', "seed: expected an integer"],
    ["an empty file", `{"run":"a","data":{"hash":"${"a".repeat(64)}","bytes":0,"name":"x"}}`, "data.bytes"],
    ["no hash", '{"run":"a","data":{"hash":"x","bytes":5,"name":"x"}}', "data.hash"],
    ["a setting that is no text", '{"run":"a","settings":{"lr":1}}', "settings.lr: expected text"],
    ["too many settings", JSON.stringify({ run: "a", settings: many(65) }), "at most 64"],
    ["a huge body", `{"run":"${"a".repeat(200_000)}"}`, "at most 131072 bytes"],
  ])("%s", async (_, body, sentence) => {
    const { status, answer } = await post(body);
    expect(status).toBe(400);
    const { error } = answer as { error: string };
    expect(error).toContain(sentence);
    expect(error.length).toBeLessThan(300);
    expect(error).not.toContain("\n");
  });
});

function many(count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`key${index}`, "x"]));
}

test("a page of another site cannot make rooms", async () => {
  for (const origin of ["https://elsewhere.example", "null"]) {
    expect((await post('{"run":"digits"}', { origin })).status).toBe(403);
  }
});

test("a room that is not there is a 404 with a sentence, whatever the name", async () => {
  for (const name of ["a".repeat(26), "nonsense", "..%2f..%2fetc", "%00", ""]) {
    const response = await fetch(`${server.origin}/api/rooms/${name}`);
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({ error: "There is no such room: check the link." });
  }
});

test("other methods are refused with those that are allowed", async () => {
  const response = await fetch(`${server.origin}/api/rooms`);
  expect([response.status, response.headers.get("allow")]).toEqual([405, "POST"]);
});

test("a server keeps so many rooms and no more", async () => {
  for (let i = 0; i < 6; i++) await createRoom(server.origin);
  const { status, answer } = await post('{"run":"digits"}');
  expect(status).toBe(503);
  expect(answer).toEqual({ error: "This server keeps 5 rooms at most, and has as many." });
});
