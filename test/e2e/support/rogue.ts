/** A peer that knows the protocol well enough to be let in, and then misbehaves: a page with PeerJS and nothing of hearth. */
import { join } from "node:path";
import { Random } from "../../../src/base/random.ts";
import { HEADER_BYTES, encodeFrame } from "../../../src/network/wire/frame.ts";
import type { Fence, FrameType } from "../../../src/network/wire/frame.ts";
import { PROTOCOL_VERSION } from "../../../src/network/wire/messages.ts";
import { CHANNEL_ID } from "../../../src/network/transport/webrtc/page-line.ts";
import { ROOT } from "../../../tools/swarm/server-process.ts";
import type { HearthUnderTest } from "./hearth.ts";

const PEERJS = join(ROOT, "node_modules/peerjs/dist/peerjs.min.js");
const HANGUP_MS_MAX = 30_000;

/** What a rogue says to one member. */
export interface RogueScript {
  readonly member: string;
  readonly hello: string;
  readonly messages: readonly (string | Uint8Array)[];
}

/** What it heard, and whether it was cut off in time. */
export interface RogueReport {
  readonly heard: readonly string[];
  readonly isCutOff: boolean;
}

/** The little of PeerJS that the page uses. */
interface PagePeer {
  on(event: "open", listener: () => void): void;
  connect(peer: string, options: object): { readonly peerConnection: RTCPeerConnection };
  destroy(): void;
}
declare const Peer: new (id: string, options: object) => PagePeer;

/** Links to a member, says everything, and waits to be hung up on. */
export async function playRogue(hearth: HearthUnderTest, script: RogueScript): Promise<RogueReport> {
  const { page } = await hearth.open("/healthz", { bypassCSP: true });
  await page.addScriptTag({ path: PEERJS });
  const messages = script.messages.map((message) => (typeof message === "string" ? message : Array.from(message)));
  const report = await page.evaluate(
    async ({ member, hello, said, port, channelId, deadlineMs }) => {
      const peer = new Peer(`rogue-${crypto.randomUUID()}`, { host: location.hostname, port, path: "/peerjs" });
      await new Promise<void>((resolve) => peer.on("open", resolve));
      const { peerConnection } = peer.connect(member, { serialization: "raw", reliable: true });
      const channel = peerConnection.createDataChannel("hearth", { negotiated: true, id: channelId, ordered: true });
      channel.binaryType = "arraybuffer";
      const heard: string[] = [];
      const closed = new Promise<boolean>((resolve) => {
        channel.addEventListener("close", () => resolve(true));
        setTimeout(() => resolve(false), deadlineMs);
      });
      // What is said while the member's channel moves to its worker may be lost: the greeting goes with each of its own.
      const greeted = new Promise<void>((resolve) => {
        channel.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
          heard.push(typeof data === "string" ? data : `${data.byteLength} bytes`);
          if (typeof data === "string" && data.startsWith("hello")) channel.send(hello);
          resolve();
        };
      });
      await Promise.race([greeted, closed]);
      for (const message of said) {
        if (channel.readyState !== "open") break;
        if (typeof message === "string") channel.send(message);
        else channel.send(new Uint8Array(message));
      }
      const isCutOff = await closed;
      peer.destroy();
      return { heard, isCutOff };
    },
    {
      member: script.member,
      hello: script.hello,
      said: messages,
      port: hearth.port,
      channelId: CHANNEL_ID,
      deadlineMs: HANGUP_MS_MAX,
    },
  );
  await page.context().close();
  return report;
}

export const HELLO: string = `hello ${PROTOCOL_VERSION}`;

/** `count` messages: first those that look right and come from nobody, then ever less of a frame, then noise. */
export function hostileFrames(fence: Fence, count: number, seed: number): (string | Uint8Array)[] {
  const random = new Random(seed, "rogue");
  const noise = (bytes: number): Uint8Array<ArrayBuffer> => Uint8Array.from({ length: bytes }, () => random.below(256));
  const types: readonly FrameType[] = ["data", "grant", "blobAnswer", "blobRequest"];
  return Array.from({ length: count }, (_, at) => {
    // All words of the header are free for a stranger to choose, the fence at hand among them.
    const operation = random.below(100);
    const payload = noise(random.below(300));
    const type = random.pick(types);
    const whole = encodeFrame({ type, ...fence, operation, chunk: random.below(3), chunks: random.below(4), payload });
    if (at < count / 3) return whole;
    switch (at % 5) {
      case 0:
        whole[random.below(4)] = random.below(256);
        return whole;
      case 1:
        whole[HEADER_BYTES - 1 - random.below(28)] = random.below(256);
        return whole;
      case 2:
        return whole.subarray(0, random.below(whole.byteLength));
      case 3:
        return String.fromCharCode(...noise(1 + random.below(60)));
      default:
        return noise(random.below(2_000));
    }
  });
}

/** A whole frame as a peer of `version` would send it. */
export function frameOfVersion(version: number): Uint8Array {
  const payload = new Uint8Array(8);
  const frame = encodeFrame({ type: "data", incarnation: 1, epoch: 1, operation: 0, chunk: 0, chunks: 1, payload });
  new DataView(frame.buffer).setUint16(4, version, true);
  return frame;
}
