import fc from "fast-check";
import { createHmac } from "node:crypto";
import { expect, test } from "vitest";
import { type Bucket, EMPTY_BUCKET, pour, RelayLedger } from "../../signaling-server/relay/relay-ledger.ts";
import { iceServersFor, Tickets } from "../../signaling-server/relay/tickets.ts";

const RATE = { bytesPerSecond: 1_000_000, burstBytes: 500_000 };

test("whatever is sent and however read, a sender that pauses as told stays within its rate and burst", () => {
  const message = fc.record({ bytes: fc.integer({ min: 0, max: 300_000 }), afterMs: fc.integer({ min: 0, max: 400 }) });
  fc.assert(
    fc.property(fc.array(message, { maxLength: 60 }), (messages) => {
      let bucket: Bucket = EMPTY_BUCKET;
      let nowMs = 0;
      let total = 0;
      for (const { bytes, afterMs } of messages) {
        nowMs += afterMs;
        const poured = pour(bucket, bytes, nowMs, RATE);
        bucket = poured.bucket;
        total += bytes;
        // The message that goes over the burst is the last one before the pause.
        expect(total).toBeLessThanOrEqual((nowMs * RATE.bytesPerSecond) / 1_000 + RATE.burstBytes + bytes);
        nowMs += poured.pauseMs;
        expect(total).toBeLessThanOrEqual((nowMs * RATE.bytesPerSecond) / 1_000 + RATE.burstBytes);
      }
    }),
    { seed: 1, numRuns: 300 },
  );
});

test("a clock that goes back gives nobody room", () => {
  const first = pour(EMPTY_BUCKET, 400_000, 1_000, RATE).bucket;
  expect(pour(first, 200_000, 0, RATE).pauseMs).toBeGreaterThan(0);
});

test("whatever comes and goes, the ledger holds its bounds and its sums", () => {
  const limits = { pairBytesMax: 1_000, totalBytesMax: 2_500 };
  const event = fc.record({
    pair: fc.constantFrom("a>b", "b>a", "c>a", "d>a"),
    bytes: fc.integer({ min: 1, max: 700 }),
  });
  fc.assert(
    fc.property(fc.array(fc.oneof(event, fc.constant(null)), { maxLength: 80 }), (events) => {
      const ledger = new RelayLedger(limits);
      const queue: { pair: string; bytes: number }[] = [];
      for (const one of events) {
        const waiting = (pair: string): number =>
          queue.filter((queued) => queued.pair === pair).reduce((sum, { bytes }) => sum + bytes, 0);
        if (one === null) {
          const oldest = queue.shift();
          if (oldest) ledger.release(oldest.pair, oldest.bytes);
        } else if (ledger.take(one.pair, one.bytes) === null) {
          queue.push(one);
          expect(waiting(one.pair)).toBeLessThanOrEqual(limits.pairBytesMax);
        } else {
          expect(waiting(one.pair) + one.bytes).toBeGreaterThan(limits.pairBytesMax);
        }
        const total = queue.reduce((sum, { bytes }) => sum + bytes, 0);
        expect(ledger.totalBytes).toBe(total);
        expect([ledger.isFull, ledger.isRelieved]).toEqual([total >= 2_500, total <= 1_250]);
      }
    }),
    { seed: 2, numRuns: 300 },
  );
});

test("a ticket admits whom it names, for its time, at the server that issued it", () => {
  const tickets = new Tickets(new Uint8Array(32).fill(1));
  const ticket = tickets.issue({ room: "room", peer: "tab-1" }, 1_000);
  expect(tickets.check(ticket, 999)).toEqual({ room: "room", peer: "tab-1" });
  expect(tickets.check(ticket, 1_000)).toBeNull();
  expect(new Tickets(new Uint8Array(32).fill(2)).check(ticket, 0)).toBeNull();
  fc.assert(
    fc.property(fc.integer({ min: 0, max: ticket.length - 1 }), fc.constantFrom("x", ".", "9", ""), (at, put) => {
      const other = ticket.slice(0, at) + put + ticket.slice(at + 1);
      expect(tickets.check(other, 0)).toEqual(other === ticket ? { room: "room", peer: "tab-1" } : null);
    }),
    { seed: 3, numRuns: 200 },
  );
});

test("TURN credentials are what coturn's REST API expects, and end", () => {
  const ice = { stun: ["stun:a:1"], turn: ["turn:b:2?transport=udp"], turnSecret: "north" };
  const credential = createHmac("sha1", "north").update("1700000000:tab-1").digest("base64");
  expect(iceServersFor(ice, "tab-1", 1_700_000_000_999)).toEqual([
    { urls: ["stun:a:1"] },
    { urls: ["turn:b:2?transport=udp"], username: "1700000000:tab-1", credential },
  ]);
  expect(iceServersFor({ ...ice, turnSecret: null, stun: [] }, "p", 0)).toEqual([{ urls: ice.turn }]);
  expect(iceServersFor({ stun: [], turn: [], turnSecret: "x" }, "p", 0)).toEqual([]);
});
