/** What peers say to each other while they connect: PeerJS's own messages, so that tabs understand them. */
import type { PeerId } from "../../../network/transport/transport.ts";
import type { IceSignal } from "../../../network/transport/webrtc/ice-keeper.ts";

/** A peer connection is the same on both sides by its id. `hearth` looks for another path: see `IceKeeper`. */
export type SignalBody =
  | {
      readonly type: "OFFER";
      readonly payload: {
        readonly connectionId: string;
        readonly sdp: RTCSessionDescriptionInit;
        /** `laneOf`: one more connection of the pair that has this one. */
        readonly metadata?: { readonly laneOf?: string };
      };
    }
  | {
      readonly type: "ANSWER";
      readonly payload: { readonly connectionId: string; readonly sdp: RTCSessionDescriptionInit };
    }
  | {
      readonly type: "CANDIDATE";
      readonly payload: {
        readonly connectionId: string;
        readonly candidate?: RTCIceCandidateInit;
        readonly hearth?: IceSignal;
      };
    };

/** One that came: by whom, or that nobody was there to get what was sent to `src`. */
export type PeerSignal = (SignalBody | { readonly type: "EXPIRE" }) & { readonly src: PeerId };

/** A way for signals, reliable or not: a connection that they do not bring about is dialled again. */
export interface PeerSignaling {
  /** Towards `to`, who may not be there. */
  send(to: PeerId, signal: SignalBody): void;
  /** The one listener; set once, by the transport. */
  onSignal(listener: (signal: PeerSignal) => void): void;
  /** For good. */
  close(): void;
}

const TYPES: ReadonlySet<unknown> = new Set<PeerSignal["type"]>(["OFFER", "ANSWER", "CANDIDATE"]);

/** A signal that somebody sent, or null where it is none; descriptions and candidates are the peer connection's to judge. */
export function parseSignal(message: unknown): PeerSignal | null {
  const { type, src, payload } = objectOf(message);
  if (typeof src !== "string") return null;
  if (type === "EXPIRE") return { type, src };
  const { connectionId } = objectOf(payload);
  return TYPES.has(type) && typeof connectionId === "string" ? (message as PeerSignal) : null;
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
