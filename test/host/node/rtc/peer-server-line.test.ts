/** Two programs find each other by a real PeerServer, with the messages of PeerJS. */
import { expect, test } from "vitest";
import { systemClock } from "../../../../src/base/clock.ts";
import { PeerLostError } from "../../../../src/base/errors.ts";
import { parseSignal } from "../../../../src/host/node/rtc/peer-signals.ts";
import { PeerServerLine } from "../../../../src/host/node/rtc/peer-server-line.ts";
import { NodeRtcTransport } from "../../../../src/host/node/rtc/rtc-transport.ts";
import { openWrtc } from "../../../../src/host/node/rtc/wrtc.ts";
import type { Link } from "../../../../src/network/transport/transport.ts";
import { startPeerServer } from "../../../../tools/tabs/tab-server.ts";

const WAIT = { deadlineMs: 20_000 };

test("peers link by the signals of a PeerServer, and one that is not there is reported as gone", async () => {
  const peerServer = await startPeerServer();
  const connections = await openWrtc();
  const clock = systemClock;
  const server = new URL(`http://127.0.0.1:${peerServer.port}`);
  const join = (self: string): NodeRtcTransport => {
    const signaling = new PeerServerLine({ self, server, clock });
    return new NodeRtcTransport({ self, clock, connections, signaling });
  };
  const [a, b] = [join("node-a"), join("node-b")];
  try {
    const accepted = new Promise<Link>((resolve) => b.onLink(resolve));
    const near = await a.connect("node-b", WAIT);
    const far = await accepted;
    const received = new Promise<Uint8Array>((resolve) => far.onMessage(resolve));
    await near.send(Uint8Array.of(1, 2, 3));
    expect([...(await received)]).toEqual([1, 2, 3]);
    await expect(a.connect("node-c", WAIT)).rejects.toThrow(PeerLostError);
  } finally {
    a.close();
    b.close();
    await peerServer.end();
  }
});

test("what is no signal is none", () => {
  const candidate = { type: "CANDIDATE", src: "a", payload: { connectionId: "x" } };
  expect(parseSignal(candidate)).toEqual(candidate);
  expect(parseSignal({ type: "EXPIRE", src: "a" })).toEqual({ type: "EXPIRE", src: "a" });
  for (const other of [null, 3, "OFFER", {}, { ...candidate, src: 1 }, { ...candidate, payload: null }, { ...candidate, type: "LEAVE" }]) expect(parseSignal(other)).toBeNull(); // prettier-ignore
});
