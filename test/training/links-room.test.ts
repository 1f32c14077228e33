/** Rooms over unequal links: members measure them, choose alike, and are faster for it, with the same bits. */
import { expect, test } from "vitest";
import { bytesOf, type Bytes } from "../../src/base/bytes.ts";
import type { NetworkOptions } from "../../src/network/transport/simulated/simulated-network.ts";
import type { MemberEngine } from "../../src/training/member.ts";
import { Room } from "./room.ts";

const PARAMETERS = 60_000;
const BYTES = 4 * PARAMETERS;
const MEMBERS = 4;

/** Many parameters: what is computed costs nothing, what is sent does. A share of them is one frame. */
class WideEngine implements MemberEngine {
  readonly name = "wide";
  readonly parameterCount = PARAMETERS;
  readonly stateFloats = 1;
  readonly slots = 8;
  readonly slotsPerSecond = 100;

  initialParameters(): Float32Array<ArrayBuffer> {
    return new Float32Array(PARAMETERS);
  }

  async slot(parameters: Float32Array, step: number, slot: number): Promise<{ loss: number; gradient: Float32Array }> {
    return {
      loss: 1,
      gradient: parameters.map((value, i) => Math.fround(1 / (1 + ((i * 7 + step + slot) % 97))) - value),
    };
  }

  async update({
    parameters,
    gradient,
    state,
  }: Parameters<MemberEngine["update"]>[0]): ReturnType<MemberEngine["update"]> {
    return { parameters: parameters.map((value, i) => value + 0.1 * (gradient[i] ?? 0)), state };
  }

  async readBack(parameters: Float32Array<ArrayBuffer>): Promise<Bytes> {
    return bytesOf(parameters.slice());
  }
}

/** Rooms of four that train 12 steps. Everybody owns a part, so the gather of parameters is what links decide. */
async function trained(network: Partial<NetworkOptions>, seed = 5): Promise<Room> {
  const room = new Room({ startWith: MEMBERS, steps: 12 }, seed, { network, limits: { auditEvery: 0 } });
  for (let at = 0; at < MEMBERS; at++) room.open(undefined, undefined, () => new WideEngine());
  await room.until(() => room.isEnded, 300_000);
  expect(room.isEnded).toBe(true);
  expect(room.linesOf("abort")).toEqual([]);
  return room;
}

const SLOW = { bytesPerMs: 30 };

/** One pair that carries little, all others much. */
const unequal: Partial<NetworkOptions> = {
  latencyMs: 2,
  jitterMs: 0,
  bytesPerMs: 4_000,
  linkOf: (a, b) => (["peer-0", "peer-2"].includes(a) && ["peer-0", "peer-2"].includes(b) ? SLOW : {}),
};

test("all members of a room choose by the same matrix, and go round a slow link as soon as it is known", async () => {
  const room = await trained(unequal);
  const byPeer = new Map<string, string[]>();
  for (const { peer, matrix, selection } of room.chosen) {
    const told = JSON.stringify([matrix, selection.choose("all-gather", BYTES, 0) ?? "usual"]);
    byPeer.set(peer, [...(byPeer.get(peer) ?? []), told]);
  }
  expect(byPeer.size).toBe(MEMBERS);
  const [first = []] = byPeer.values();
  for (const told of byPeer.values()) expect(told).toEqual(first);
  const { matrix, selection } = room.chosen.at(-1) as (typeof room.chosen)[number];
  const members = room.state.epoch?.members.map(({ peer }) => peer) ?? [];
  const cost = (from: string, to: string): number =>
    matrix.links[members.indexOf(from)]?.[members.indexOf(to)]?.bytesPerMs ?? 0;
  expect(cost("peer-0", "peer-2")).toBe(32);
  expect(cost("peer-2", "peer-0")).toBe(32);
  expect(cost("peer-0", "peer-1")).toBeGreaterThanOrEqual(1_024);
  expect(selection.choose("all-gather", BYTES, 0)).toBe("ring");
  const order = selection.groupOptions().ringOrder?.map((rank) => members[rank]) ?? [];
  const [at, other] = [order.indexOf("peer-0"), order.indexOf("peer-2")];
  expect((at - other + MEMBERS) % MEMBERS, "the slow pair is not side by side").toBe(2);
  const stepMs = room.linesOf("step").map(({ ms }) => ms);
  expect(stepMs.at(-1), `${stepMs.join(", ")} ms`).toBeLessThan(0.6 * (stepMs[0] ?? 0));
}, 60_000);

test("whatever is chosen, the parameters have the bits of a room whose links are alike", async () => {
  const [uneven, even] = [await trained(unequal), await trained({ latencyMs: 2, jitterMs: 0, bytesPerMs: 4_000 })];
  expect(uneven.chosen.some(({ selection }) => selection.choose("all-gather", BYTES, 0) === "ring")).toBe(true);
  expect(even.chosen.every(({ selection }) => selection.choose("all-gather", BYTES, 0) === undefined)).toBe(true);
  const digests = [uneven, even].flatMap((room) => Object.values(room.state.durable.endDigests ?? {}));
  expect(digests).toHaveLength(2 * MEMBERS);
  expect(new Set(digests).size).toBe(1);
}, 60_000);
