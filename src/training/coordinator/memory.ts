/**
 * Passing on what members say about their device memory. It is for people: it goes into no log, and nothing else of
 * the coordinator reads it.
 *
 * Everybody is told in turn of those who said something new, at most TOLD_MAX members in MEMORY_MS: 8 kB a second to
 * each page, however large the room is.
 */
import type { ClientMessage, MemberMemory } from "../../network/wire/messages.ts";
import type { Draft } from "./draft.ts";
import type { PeerState, State } from "./state.ts";

const MEMORY_MS = 2_000;
const TOLD_MAX = 16;

/** The newest counts, and waits for its turn. */
export function onMemory(draft: Draft, { info }: PeerState, message: Extract<ClientMessage, { kind: "memory" }>): void {
  draft.patchPeer(info.peer, { memory: message.memory });
  const { memoryNews } = draft.state;
  if (!memoryNews.includes(info.peer)) draft.patch({ memoryNews: [...memoryNews, info.peer] });
}

/** Tells everybody what is new, where it is time to. */
export function tellMemories(draft: Draft): void {
  const { state, nowMs } = draft;
  if (state.memoryNews.length === 0 || nowMs - state.memoryToldAtMs < MEMORY_MS) return;
  const told = state.memoryNews.slice(0, TOLD_MAX);
  draft.patch({ memoryNews: state.memoryNews.slice(TOLD_MAX), memoryToldAtMs: nowMs });
  const members = memoriesOf(state, told);
  if (members.length > 0) draft.broadcast({ kind: "memories", members });
}

/** Tells a newcomer what the others were told before. */
export function sendMemories(draft: Draft, conn: string): void {
  const members = memoriesOf(draft.state, [...draft.state.peers.keys()]);
  if (members.length > 0) draft.send(conn, { kind: "memories", members });
}

/** Those of `peers` that are still here and have said something. */
function memoriesOf(state: State, peers: readonly string[]): MemberMemory[] {
  return peers.flatMap((peer) => {
    const memory = state.peers.get(peer)?.memory;
    return memory ? [{ peer, memory }] : [];
  });
}
