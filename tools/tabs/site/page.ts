/** The page of a driven tab: what only a page can do, and the line to its engine. The driver calls `hearthTab`. */
import { transfer, wrap } from "comlink";
import { present } from "../../../src/base/assert.ts";
import { openPortExchange } from "../../../src/host/browser/port-exchange.ts";
import { RtcPage } from "../../../src/host/browser/rtc-page.ts";
import { PeerJsRing } from "../../../bench/all-reduce/peer-js-ring.ts";
import type { PeerJsRequest } from "../../../bench/all-reduce/peer-js-ring.ts";
import type { TabEngine } from "./engine.ts";

/** What the driver calls, by way of `page.evaluate`. */
export interface TabPage {
  ask(method: string, args: readonly unknown[]): Promise<unknown>;
  browserBytesSent(): Promise<number>;
  /** A bare data channel to `peer`, whose description goes through the driver. */
  offer(peer: string): Promise<string>;
  answer(peer: string, offer: string): Promise<string>;
  accept(peer: string, answer: string): Promise<void>;
  /** Opens PeerJS's own binary connections of a ring, as a page would that knows nothing of us. */
  openPeerJs(members: readonly string[]): Promise<void>;
  peerJsRing(request: PeerJsRequest): Promise<number>;
}

const BARE_ID = 7;

const query = new URLSearchParams(location.search);
const self = query.get("self") ?? "";
const server = new URL(query.get("server") ?? "");
const page = await RtcPage.open({ self, server, transfersChannels: query.get("relay") === null });
const engine = wrap<TabEngine>(new Worker(new URL("./engine.ts", import.meta.url), { type: "module" }));
type Ports = [MessagePort, MessagePort, MessagePort];
const toTransfer = (port: MessagePort): MessagePort => transfer(port, [port]);
const [line, bareLine] = [openPortExchange(), openPortExchange()].map((port) => present(port, "a SharedWorker"));
await engine.start(self, ...(([page.port, line, bareLine] as Ports).map(toTransfer) as Ports));
const methods = engine as unknown as Record<string, (...args: readonly unknown[]) => Promise<unknown>>;

const connections = new Map<string, RTCPeerConnection>();
let peerJs: PeerJsRing | null = null;

/** The channel goes to the engine in the task that makes it. */
function openBare(peer: string): RTCPeerConnection {
  const connection = new RTCPeerConnection();
  connections.set(peer, connection);
  const channel = connection.createDataChannel("bare", { negotiated: true, id: BARE_ID, ordered: true });
  void engine.bareRtc(peer, transfer(channel as unknown as RTCDataChannel, [channel as unknown as Transferable]));
  return connection;
}

/** Its description with all candidates in it. */
async function described(connection: RTCPeerConnection): Promise<string> {
  await new Promise<void>((resolve) => {
    const look = (): void => (connection.iceGatheringState === "complete" ? resolve() : undefined);
    connection.onicegatheringstatechange = look;
    look();
  });
  return JSON.stringify(connection.localDescription);
}

(globalThis as { hearthTab?: TabPage }).hearthTab = {
  ask: (method, args) => methods[method]?.(...args) ?? Promise.reject(new TypeError(`no method ${method}`)),
  browserBytesSent: () => page.browserBytesSent(),
  async offer(peer) {
    const connection = openBare(peer);
    await connection.setLocalDescription();
    return described(connection);
  },
  async answer(peer, offer) {
    const connection = openBare(peer);
    await connection.setRemoteDescription(JSON.parse(offer) as RTCSessionDescriptionInit);
    await connection.setLocalDescription();
    return described(connection);
  },
  async accept(peer, answer) {
    await connections.get(peer)?.setRemoteDescription(JSON.parse(answer) as RTCSessionDescriptionInit);
  },
  async openPeerJs(members) {
    peerJs = await PeerJsRing.open(self, members, server);
  },
  peerJsRing: (request) => present(peerJs, "PeerJS connections").measure(request),
};
