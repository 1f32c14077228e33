import * as fc from "fast-check";
import { createSocket, type Socket } from "node:dgram";
import { afterEach, expect, test } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { Random } from "../../../src/base/random.ts";
import { sleep } from "../../../src/base/wait.ts";
import { parseTreatment, passPacket } from "../../../tools/impair/impairment.ts";
import { UdpProxy } from "../../../tools/impair/udp-proxy.ts";

test("packets leave in order, never before their delay, and never faster than the rate", () => {
  const packet = fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 1, max: 1_500 }));
  fc.assert(
    fc.property(fc.array(packet, { maxLength: 80 }), fc.integer({ min: 1, max: 200 }), (packets, bytesPerMs) => {
      let path = { freeAtMs: 0 };
      let nowMs = 0;
      let lastMs = 0;
      let bytesPassed = 0;
      let startMs: number | null = null;
      for (const [afterMs, bytes] of packets) {
        nowMs += afterMs;
        const passed = passPacket(path, bytes, nowMs, 0.5, { delayMs: 30, loss: 0.1, bytesPerMs });
        path = passed.path;
        if (passed.arrivesAtMs === null) continue; // The queue is full.
        startMs ??= nowMs;
        bytesPassed += bytes;
        expect(passed.arrivesAtMs).toBeGreaterThanOrEqual(Math.max(lastMs, nowMs + 30));
        expect(bytesPassed).toBeLessThanOrEqual((passed.arrivesAtMs - 30 - startMs) * bytesPerMs + 1e-6 * bytesPassed);
        lastMs = passed.arrivesAtMs;
      }
    }),
    { seed: 23, numRuns: 200 },
  );
  expect(
    passPacket({ freeAtMs: 0 }, 100, 0, 0.05, { delayMs: 30, loss: 0.1, bytesPerMs: null }).arrivesAtMs,
  ).toBeNull();
});

test("treatments say what they do, and two passes together are what was asked for", () => {
  expect(parseTreatment("delay=20+loss=1+rate=8")).toMatchObject({
    impairment: { delayMs: 10, loss: 0.005, bytesPerMs: 1_000 },
    cutMs: 0,
    changesPorts: false,
  });
  expect(parseTreatment("cut=20+ports")).toMatchObject({ cutMs: 20_000, changesPorts: true });
  for (const wrong of ["delay", "loss=100", "rate=0", "cut=-1", "none=1", "nonsense", ""]) {
    expect(() => parseTreatment(wrong)).toThrow(/--impair: expected none, delay=MS/);
  }
});

const sockets: Socket[] = [];
let proxy: UdpProxy | null = null;

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.close();
  proxy?.close();
});

async function socket(): Promise<Socket> {
  const made = createSocket("udp4");
  sockets.push(made);
  await new Promise<void>((resolve) => made.bind(0, "127.0.0.1", resolve));
  return made;
}

test("the proxy delays both ways, cuts, and gives its clients other ports", async () => {
  const server = await socket();
  const ports: number[] = [];
  server.on("message", (packet, from) => {
    ports.push(from.port);
    server.send(packet, from.port, from.address);
  });
  const serverPort = server.address().port;
  const opened = await UdpProxy.open({ serverPort, clock: systemClock, random: new Random(1, "proxy") });
  proxy = opened;
  const client = await socket();
  const echoes: number[] = [];
  client.on("message", () => echoes.push(systemClock.nowMs()));
  const say = async (waitMs: number): Promise<void> => {
    client.send("hello", opened.port, "127.0.0.1");
    await sleep(waitMs, systemClock);
  };
  opened.impair({ delayMs: 40, loss: 0, bytesPerMs: null });
  const startMs = systemClock.nowMs();
  await say(300);
  expect(echoes.length).toBe(1);
  expect((echoes[0] ?? 0) - startMs).toBeGreaterThanOrEqual(79);
  opened.cut();
  await say(200);
  expect([ports.length, echoes.length]).toEqual([1, 1]);
  opened.mend();
  opened.changePorts();
  await say(300);
  expect(echoes.length).toBe(2);
  expect(new Set(ports).size).toBe(2);
  expect(opened.counts).toEqual({ passed: 4, dropped: 1 });
});
