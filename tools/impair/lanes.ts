/**
 * Whether several peer connections between two tabs carry more than one: measured through the proxy, in one page that
 * holds both ends.
 */
import { chromium } from "playwright-core";
import { present } from "../../src/base/assert.ts";
import { UnsupportedError } from "../../src/base/errors.ts";
import { CHROMIUM_FLAGS, findChromium } from "../swarm/chromium.ts";

export interface LaneRequest {
  readonly lanes: number;
  readonly iceServers: readonly RTCIceServer[];
  readonly streamMs: number;
  readonly burstBytes: number;
  readonly bursts: number;
}

export interface LaneResult {
  /** Of a stream that never waits for anything else. */
  readonly bytesPerMs: number;
  /** From the first byte sent to the last one there, after a pause: what a step's gradients take. Each burst. */
  readonly burstMs: readonly number[];
  /** Measured by the browser's own STUN checks, in milliseconds; NaN where it has none. */
  readonly roundTripMs: number;
}

/** Opens a browser for `measure`, and closes it. @throws UnsupportedError without a browser */
export async function withLanes<T>(
  use: (measure: (request: LaneRequest) => Promise<LaneResult>) => Promise<T>,
): Promise<T> {
  const executablePath = findChromium();
  if (executablePath === null) throw new UnsupportedError("measuring lanes: expected Chromium or Chrome, found none");
  const browser = await chromium.launch({ executablePath, args: [...CHROMIUM_FLAGS] });
  try {
    return await use(async (request) => {
      const page = await browser.newPage();
      try {
        // Helpers that the compiler of this file refers to are not there in the page.
        await page.evaluate("globalThis.__name = (value) => value");
        return await page.evaluate(measureInPage, request);
      } finally {
        await page.close();
      }
    });
  } finally {
    await browser.close();
  }
}

/** The lanes' median burst in milliseconds. */
export function medianBurstMs({ burstMs }: LaneResult): number {
  return present([...burstMs].sort((a, b) => a - b)[burstMs.length >> 1], "a burst");
}

/** Runs in the page, and so refers to nothing outside itself. */
async function measureInPage({ lanes, iceServers, streamMs, burstBytes, bursts }: LaneRequest): Promise<LaneResult> {
  const FRAME_BYTES = 64 * 1024;
  const QUEUED_BYTES_MAX = 1024 * 1024;
  const pairs = await Promise.all(
    Array.from({ length: lanes }, async () => {
      const ends = [0, 1].map(() => {
        const connection = new RTCPeerConnection({ iceServers: [...iceServers], iceTransportPolicy: "relay" });
        const channel = connection.createDataChannel("lane", { negotiated: true, id: 0 });
        channel.binaryType = "arraybuffer";
        channel.bufferedAmountLowThreshold = QUEUED_BYTES_MAX / 4;
        return { connection, channel };
      });
      const [near, far] = ends as [(typeof ends)[0], (typeof ends)[0]];
      near.connection.onicecandidate = ({ candidate }) => void (candidate && far.connection.addIceCandidate(candidate));
      far.connection.onicecandidate = ({ candidate }) => void (candidate && near.connection.addIceCandidate(candidate));
      const opened = Promise.all(
        ends.map(({ channel }) => new Promise((resolve) => channel.addEventListener("open", resolve))),
      );
      await near.connection.setLocalDescription(await near.connection.createOffer());
      await far.connection.setRemoteDescription(near.connection.localDescription as RTCSessionDescription);
      await far.connection.setLocalDescription(await far.connection.createAnswer());
      await near.connection.setRemoteDescription(far.connection.localDescription as RTCSessionDescription);
      await opened;
      return { near, far };
    }),
  );
  let received = 0;
  let onReceived = (): void => {};
  for (const { far } of pairs) {
    far.channel.onmessage = ({ data }: MessageEvent<ArrayBuffer>) => {
      received += data.byteLength;
      onReceived();
    };
  }
  const frame = new Uint8Array(FRAME_BYTES);
  /** Frames in turn over the lanes, each held back by its own queue, until `isOver`. */
  const send = async (isOver: () => boolean): Promise<void> => {
    for (let at = 0; !isOver(); at++) {
      const { channel } = (pairs[at % lanes] as (typeof pairs)[0]).near;
      if (channel.bufferedAmount > QUEUED_BYTES_MAX) {
        await new Promise((resolve) => channel.addEventListener("bufferedamountlow", resolve, { once: true }));
      }
      channel.send(frame);
    }
  };
  const arrived = (bytes: number): Promise<void> =>
    new Promise((resolve) => {
      onReceived = () => (received >= bytes ? resolve() : undefined);
      onReceived();
    });
  const burstMs: number[] = [];
  for (let burst = 0; burst < bursts; burst++) {
    await new Promise((resolve) => setTimeout(resolve, 300));
    const [startMs, startBytes] = [performance.now(), received];
    let sent = 0;
    const done = arrived(startBytes + burstBytes);
    await send(() => (sent += FRAME_BYTES) > burstBytes);
    await done;
    burstMs.push(performance.now() - startMs);
  }
  const endMs = performance.now() + streamMs;
  const sending = send(() => performance.now() > endMs);
  await new Promise((resolve) => setTimeout(resolve, streamMs / 4)); // Until the windows have grown.
  const [startMs, startBytes] = [performance.now(), received];
  await sending;
  const bytesPerMs = (received - startBytes) / (performance.now() - startMs);
  const stats = await (pairs[0] as (typeof pairs)[0]).near.connection.getStats();
  let roundTripMs = Number.NaN;
  for (const report of stats.values() as Iterable<Record<string, unknown>>) {
    if (report["type"] !== "candidate-pair" || report["nominated"] !== true) continue;
    roundTripMs = 1_000 * ((report["currentRoundTripTime"] as number | undefined) ?? Number.NaN);
  }
  for (const { near, far } of pairs) [near, far].forEach(({ connection }) => connection.close());
  return { bytesPerMs, burstMs, roundTripMs };
}
