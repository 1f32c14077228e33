/**
 * The same ring over PeerJS's own binary mode, as somebody would write it who has PeerJS alone: in each hop a chunk to
 * the next member and one from the member before. Runs in the page, where PeerJS is.
 */
import { Peer } from "peerjs";
import type { DataConnection } from "peerjs";
import { assert, present } from "../../src/base/assert.ts";
import { floatsOf } from "../../src/base/bytes.ts";
import { systemClock } from "../../src/base/clock.ts";
import { withDeadline } from "../../src/base/wait.ts";

export interface PeerJsRequest {
  readonly floats: number;
}

type Floats = Float32Array<ArrayBuffer>;

const OPEN_MS_MAX = 20_000;
const RUN_MS_MAX = 120_000;
const PREFIX = "peer-js-";

export class PeerJsRing {
  readonly #rank: number;
  readonly #size: number;
  readonly #next: DataConnection;
  readonly #arrived: Floats[] = [];
  #onArrived: () => void = () => {};

  /** All members call it. Each connects to the next one. */
  static async open(self: string, members: readonly string[], server: URL): Promise<PeerJsRing> {
    const rank = members.indexOf(self);
    const peer = new Peer(PREFIX + self, {
      host: server.hostname,
      port: Number(server.port),
      path: "/peerjs",
      debug: 0,
    });
    const incoming = new Promise<DataConnection>((resolve) => peer.on("connection", resolve));
    const opened = (async () => {
      await new Promise<void>((resolve) => peer.on("open", () => resolve()));
      const next = await connected(peer, PREFIX + (members[(rank + 1) % members.length] ?? ""));
      return new PeerJsRing(rank, members.length, next, await incoming);
    })();
    return withDeadline("opening a ring of PeerJS", opened, systemClock, { deadlineMs: OPEN_MS_MAX });
  }

  private constructor(rank: number, size: number, next: DataConnection, before: DataConnection) {
    this.#rank = rank;
    this.#size = size;
    this.#next = next;
    before.on("data", (data) => {
      this.#arrived.push(floatsIn(data as ArrayBuffer | Uint8Array<ArrayBuffer>));
      this.#onArrived();
    });
  }

  /** Milliseconds of one all-reduce. */
  async measure({ floats }: PeerJsRequest): Promise<number> {
    const values = new Float32Array(floats).fill(this.#rank + 1);
    const startMs = systemClock.nowMs();
    await withDeadline("an all-reduce over PeerJS", this.#allReduce(values), systemClock, { deadlineMs: RUN_MS_MAX });
    const ms = systemClock.nowMs() - startMs;
    const expected = (this.#size * (this.#size + 1)) / 2;
    assert(
      values[0] === expected && values[floats - 1] === expected,
      `PeerJS: expected ${expected}, found ${values[0]}`,
    );
    return ms;
  }

  async #allReduce(values: Floats): Promise<void> {
    const size = this.#size;
    const chunk = (at: number): Floats => {
      const place = ((at % size) + size) % size;
      return values.subarray(
        Math.floor((place * values.length) / size),
        Math.floor(((place + 1) * values.length) / size),
      );
    };
    for (let hop = 0; hop < 2 * (size - 1); hop++) {
      const isReducing = hop < size - 1;
      const first = isReducing ? this.#rank - hop : this.#rank + 1 - (hop - (size - 1));
      void this.#next.send(chunk(first).slice().buffer);
      const [received, own] = [await this.#receive(), chunk(first - 1)];
      if (!isReducing) own.set(received);
      else for (let i = 0; i < own.length; i++) own[i] = (own[i] as number) + (received[i] as number);
    }
  }

  async #receive(): Promise<Floats> {
    while (this.#arrived.length === 0) await new Promise<void>((resolve) => (this.#onArrived = resolve));
    return present(this.#arrived.shift(), "a chunk");
  }
}

/** PeerJS gives large messages as bytes, wherever they begin, and small ones as buffers. */
function floatsIn(data: ArrayBuffer | Uint8Array<ArrayBuffer>): Floats {
  return floatsOf(data instanceof ArrayBuffer ? new Uint8Array(data) : data);
}

/** A peer that is not there yet is asked again. */
async function connected(peer: Peer, other: string): Promise<DataConnection> {
  for (;;) {
    const connection = peer.connect(other, { serialization: "binary", reliable: true });
    const isOpen = await new Promise<boolean>((resolve) => {
      connection.on("open", () => resolve(true));
      peer.once("error", () => resolve(false));
    });
    if (isOpen) return connection;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
