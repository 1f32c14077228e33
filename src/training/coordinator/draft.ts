/**
 * A transition under construction: fields are replaced on a shallow copy, never changed inside, and effects pile up in
 * order. It is how a pure function of a large state reads like the steps it takes.
 */
import type { PeerId } from "../../network/transport/transport.ts";
import type { RunLine } from "../../network/wire/run-line.ts";
import type { ServerMessage } from "../../network/wire/messages.ts";
import type { Effect, Limits, LogRecord } from "./protocol.ts";
import { replay, type PeerState, type State } from "./state.ts";

export class Draft {
  state: State;
  readonly effects: Effect[] = [];
  readonly nowMs: number;
  readonly limits: Limits;

  constructor(state: State, nowMs: number, limits: Limits) {
    this.state = state;
    this.nowMs = nowMs;
    this.limits = limits;
  }

  patch(change: Partial<State>): void {
    this.state = { ...this.state, ...change };
  }

  patchPeer(peer: PeerId, change: Partial<PeerState>): void {
    const old = this.state.peers.get(peer);
    if (old) this.patch({ peers: new Map(this.state.peers).set(peer, { ...old, ...change }) });
  }

  removePeer(peer: PeerId): void {
    const peers = new Map(this.state.peers);
    peers.delete(peer);
    this.patch({ peers });
  }

  /** Durable before anything that follows, and folded into the state as a replay would. */
  append(record: LogRecord): void {
    this.effects.push({ kind: "append", record });
    this.state = replay(this.state, record);
  }

  send(conn: string, message: ServerMessage): void {
    this.effects.push({ kind: "send", conn, message });
  }

  close(conn: string, reason: string): void {
    this.effects.push({ kind: "close", conn, reason });
  }

  /** To all connected members and observers. */
  broadcast(message: ServerMessage): void {
    for (const peer of this.state.peers.values()) this.send(peer.conn, message);
    for (const conn of this.state.observers) this.send(conn, message);
  }

  /** A line of the run's public record. */
  report(line: RunLine): void {
    this.broadcast({ kind: "event", line });
  }

  /** To the members of the epoch that are still the ones it was formed with. */
  sendToEpoch(message: ServerMessage): void {
    for (const conn of this.state.epoch?.conns ?? []) {
      if (isConnected(this.state, conn)) this.send(conn, message);
    }
  }
}

function isConnected(state: State, conn: string): boolean {
  for (const peer of state.peers.values()) if (peer.conn === conn) return true;
  return false;
}

/** True while the member at `rank` is the one that the epoch was formed with, and stays. */
export function isAlive(state: State, rank: number): boolean {
  const member = state.epoch?.members[rank];
  const peer = member && state.peers.get(member.peer);
  return peer !== undefined && peer.conn === state.epoch?.conns[rank] && peer.status === "joined";
}

/** Ranks of the epoch that are gone. */
export function lostRanks(state: State): number[] {
  return (state.epoch?.members ?? []).map((_, rank) => rank).filter((rank) => !isAlive(state, rank));
}
