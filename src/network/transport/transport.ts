/**
 * Links between peers: ordered, reliable message pipes with backpressure. WebRTC data channels, MessagePorts and the
 * simulator's virtual links all look like this. A link carries whole frames of at most `frameBytesMax`; what is in them
 * is the wire codec's business.
 */
import type { Bytes } from "../../base/bytes.ts";
import type { WaitOptions } from "../../base/wait.ts";

/** A peer's name: unguessable, one a tab and page load. */
export type PeerId = string;

/**
 * How bytes travel: `webrtc` straight from the worker, `page` over WebRTC by way of the page that holds the channel,
 * `port` a MessagePort in one browser, `relay` sealed through the server.
 */
export type PathKind = "webrtc" | "page" | "port" | "relay" | "simulated";

/** What a link has carried. */
export interface LinkStats {
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly framesSent: number;
  readonly framesReceived: number;
  /** Messages that the link itself refused: oversized, or of no kind it knows. What is wrong inside a frame is the mux's to count. */
  readonly framesDropped: number;
  /** Of the newest ping that was answered (see `probe`), behind what was queued before it; left out before there is one. */
  readonly roundTripMs?: number;
}

/** A line to one peer. */
export interface Link {
  readonly peer: PeerId;
  readonly path: PathKind;
  readonly frameBytesMax: number;
  readonly isOpen: boolean;
  readonly stats: LinkStats;
  /**
   * Resolves when the frame is handed over; while the send queue is full it waits, in order. The frame's buffer is the
   * link's from then on, which may transfer it. @throws PeerLostError when closed, OptionError when too large
   */
  send(frame: Bytes): Promise<void>;
  /**
   * Resolves at a sign of life: an answer, any other message, a send queue that drains. A link can stay open for long
   * after its peer froze or its path broke. @throws DeadlineError, PeerLostError, AbortedError
   */
  probe(options: WaitOptions): Promise<void>;
  /** The one receiver of raw messages; set once, by the mux above. What came before is kept for it, within bounds. */
  onMessage(receive: (message: Bytes) => void): void;
  /** Called once, with the reason; at once when closed already. Several may listen. */
  onClose(closed: (reason: string) => void): void;
  /** The other side's `onClose` gets the reason, after all that was handed over before. */
  close(reason: string): void;
}

/** Makes links. Either peer may dial; when both do, they end with the same one link. */
export interface Transport {
  readonly self: PeerId;
  /** An open link: the existing one where there is one that shows a sign of life within 2 s. @throws DeadlineError, PeerLostError, AbortedError */
  connect(peer: PeerId, options: WaitOptions): Promise<Link>;
  /** False where `connect` would be in vain. Left out where nobody can tell. */
  reaches?(peer: PeerId): Promise<boolean>;
  /** Told of every new link, whoever dialled, before `connect` resolves. A new link to a peer replaces the old one. */
  onLink(accept: (link: Link) => void): void;
  /** Drops the link to `peer`, so that the next connect makes a new one. */
  disconnect(peer: PeerId, reason: string): void;
  /** Ends all links, and takes no new ones. */
  close(): void;
}
