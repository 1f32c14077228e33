/** What members offer: noted as they tell it, shown to people, and minded where shards are placed. */
import type { PeerId } from "../../network/transport/transport.ts";
import type { ClientMessage, Offer } from "../../network/wire/messages.ts";
import type { Draft } from "./draft.ts";
import type { PeerState, State } from "./state.ts";

/** An offer, and when it was made. */
export interface Offered {
  readonly offer: Offer;
  readonly atMs: number;
}

/** Whoever goes within so long is given no shards to own: they would have to move again. */
const SOON_MS = 2 * 60_000;
/** A device on its battery below this may be gone any moment. */
const BATTERY_MIN = 0.2;

/** The newest counts. */
export function onOffer(draft: Draft, { info }: PeerState, { offer }: Extract<ClientMessage, { kind: "offer" }>): void {
  draft.patchPeer(info.peer, { offered: { offer, atMs: draft.nowMs } });
}

/** For people, and in numbers that change seldom, since a roster goes to everybody each time that it changes. */
export function offerShown({ offer, atMs }: Offered, nowMs: number): Offer {
  const { minutesLeft, battery } = offer;
  return {
    ...offer,
    ...(minutesLeft === undefined
      ? {}
      : { minutesLeft: Math.max(0, Math.ceil(minutesLeft - (nowMs - atMs) / 60_000)) }),
    ...(battery ? { battery: { ...battery, level: Math.round(battery.level * 20) / 20 } } : {}),
  };
}

/** Of `ranks` those whose members stay, as far as they say; all of them where none does. */
export function staying(
  state: State,
  members: readonly { readonly peer: PeerId }[],
  ranks: readonly number[],
  nowMs: number,
): readonly number[] {
  const stay = ranks.filter((rank) => !goesSoon(state.peers.get(members[rank]?.peer ?? "")?.offered ?? null, nowMs));
  return stay.length > 0 ? stay : ranks;
}

function goesSoon(offered: Offered | null, nowMs: number): boolean {
  if (!offered) return false;
  const { battery, minutesLeft } = offered.offer;
  const isOver = minutesLeft !== undefined && offered.atMs + minutesLeft * 60_000 - nowMs < SOON_MS;
  return isOver || (battery !== undefined && !battery.charging && battery.level < BATTERY_MIN);
}
