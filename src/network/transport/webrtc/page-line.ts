/**
 * What the two halves of the WebRTC transport say to each other over their MessagePort. The page has PeerJS and the
 * peer connections, since workers have none; the worker has the channels and all decisions.
 */
import type { IceServer } from "../../wire/messages.ts";
import type { PeerId } from "../transport.ts";

/** The id of our channel in every peer connection: negotiated, so that both sides make it in the task they get the connection. */
export const CHANNEL_ID = 100;

/** How the keys of dialled connections begin; the others are incoming. */
export const CALL = "call-";

/** A channel on its way to the worker: itself, or, where the browser cannot transfer it, a port that the page relays to. */
export type Handed = { readonly channel: RTCDataChannel } | { readonly port: MessagePort };

/** `key` names a connection: the worker's choice for those it dials, the page's for incoming ones. */
export type ToPage =
  /** The worker listens: signaling may begin. */
  | { readonly kind: "start" }
  /** For connections from now on: the server's, with fresh credentials. */
  | { readonly kind: "ice"; readonly iceServers: readonly IceServer[] }
  | { readonly kind: "dial"; readonly key: string; readonly peer: PeerId }
  /** The connection is of no use any more. */
  | { readonly kind: "drop"; readonly key: string };

export type ToWorker =
  /** Dialled, or incoming. */
  | ({ readonly kind: "channel"; readonly key: string; readonly peer: PeerId } & Handed)
  /** One more lane of the connection of that key; its lanes come in the same order on both sides. */
  | ({ readonly kind: "lane"; readonly key: string } & Handed)
  | { readonly kind: "failed"; readonly key: string; readonly why: FailureKind; readonly reason: string };

/** `gone`: no such peer. `impossible`: this page can reach nobody. `other`: worth another try. */
export type FailureKind = "gone" | "impossible" | "other";
