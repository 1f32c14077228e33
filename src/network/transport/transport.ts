/**
 * Links between peers: ordered, reliable message pipes with backpressure. WebRTC data channels, MessagePorts and the
 * simulator's virtual links all look like this. A link carries whole frames of at most `frameBytesMax`; what is in them
 * is the wire codec's business.
 */
import type { Bytes } from "../../base/bytes.ts";
import type { WaitOptions } from "../../base/wait.ts";

/** A peer's name: unguessable, one a tab and page load. */
export type PeerId = string;

/** How bytes travel: `webrtc` straight from the worker, `relay` through the page that holds the channel, `port` a MessagePort in one browser. */
export type PathKind = "webrtc" | "relay" | "port" | "simulated";

export interface LinkStats {
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly framesSent: number;
  readonly framesReceived: number;
  /** Frames that were refused: malformed, stale, oversized, wrong checksum. */
  readonly framesDropped: number;
}

export interface Link {
  readonly peer: PeerId;
  readonly path: PathKind;
  readonly frameBytesMax: number;
  readonly isOpen: boolean;
  readonly stats: LinkStats;
  /** Resolves when the frame is handed over and the send queue has room again. @throws PeerLostError when closed */
  send(frame: Bytes): Promise<void>;
  /** The one receiver of raw messages; set once, by the mux above. */
  onMessage(receive: (message: Bytes) => void): void;
  /** Called once, with the reason. */
  onClose(closed: (reason: string) => void): void;
  close(reason: string): void;
}

/** Makes links. One of the two peers dials (the one whose id sorts first); the other's `onLink` fires. */
export interface Transport {
  readonly self: PeerId;
  /** An open link, the existing one where there is one. @throws DeadlineError, PeerLostError */
  connect(peer: PeerId, options: WaitOptions): Promise<Link>;
  /** Links that the other side opened. */
  onLink(accept: (link: Link) => void): void;
  /** Drops the link to `peer`, so that the next connect makes a new one. */
  disconnect(peer: PeerId, reason: string): void;
  close(): void;
}
