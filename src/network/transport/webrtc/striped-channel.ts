/**
 * Several data channels as one: message after message goes over the next lane, and the receiver takes them from the lanes
 * in the same turn. So order costs no header, and a path with a long round trip carries what its lanes carry together.
 *
 * It begins with one lane. When this side has more, it says so in its turn, and from there on uses them; each direction
 * does so on its own.
 */
import type { Bytes } from "../../../base/bytes.ts";
import type { Clock } from "../../../base/clock.ts";
import { assert } from "../../../base/assert.ts";
import type { Channel } from "../channel.ts";

/** A text of the channel's own; links' texts begin with other words. */
const LANES = "lanes ";
/** After a lane closed: for the others to bring what was sent before. */
const LINGER_MS = 1_000;
/** As many lanes as anybody may announce. */
const LANES_MAX = 8;

interface Lane {
  readonly channel: Channel;
  /** Arrived, and not yet its turn. */
  readonly queue: (string | ArrayBuffer)[];
  /** It said that it closed, after its last message: its state may say so before. */
  isOver: boolean;
}

export class StripedChannel implements Channel {
  onopen: ((event: Event) => void) | null = null;
  onclose: ((event: Event) => void) | null = null;
  onbufferedamountlow: ((event: Event) => void) | null = null;

  readonly #clock: Clock;
  readonly #lanes: Lane[] = [];
  /** Lanes that this side sends over, and whose turn it is. */
  #sendLanes = 1;
  #sendTurn = 0;
  /** The same of the other side. */
  #receiveLanes = 1;
  #receiveTurn = 0;
  #lowThreshold = 0;
  #onmessage: ((event: MessageEvent) => void) | null = null;
  #cancelLinger: (() => void) | null = null;
  /** A lane that was not in use closed: there will be no more than are. */
  #isComplete = false;
  #isClosed = false;

  constructor(first: Channel, clock: Clock) {
    this.#clock = clock;
    this.addLane(first);
  }

  get readyState(): RTCDataChannelState {
    return this.#isClosed ? "closed" : (this.#lanes[0]?.channel.readyState ?? "closed");
  }

  get bufferedAmount(): number {
    return this.#lanes.reduce((sum, { channel }) => sum + channel.bufferedAmount, 0);
  }

  get bufferedAmountLowThreshold(): number {
    return this.#lowThreshold;
  }

  /** When every lane is below its share, all together are below this. */
  set bufferedAmountLowThreshold(bytes: number) {
    this.#lowThreshold = bytes;
    for (const { channel } of this.#lanes) channel.bufferedAmountLowThreshold = Math.floor(bytes / this.#lanes.length);
  }

  get binaryType(): BinaryType {
    return "arraybuffer";
  }

  set binaryType(type: BinaryType) {
    assert(type === "arraybuffer", `lanes: no messages of type ${type}`);
  }

  get onmessage(): ((event: MessageEvent) => void) | null {
    return this.#onmessage;
  }

  set onmessage(handler: ((event: MessageEvent) => void) | null) {
    this.#onmessage = handler;
    this.#deliver();
  }

  /** The next lane, perhaps still opening: both sides add theirs in the same order. Call it in the task that got it. */
  addLane(channel: Channel): void {
    if (this.#isClosed || this.#isComplete || this.#lanes.length >= LANES_MAX) return channel.close();
    const lane: Lane = { channel, queue: [], isOver: channel.readyState === "closed" };
    this.#lanes.push(lane);
    channel.binaryType = "arraybuffer";
    channel.onopen = (event) => {
      if (this.#lanes[0] === lane) this.onopen?.(event);
      this.#useLanes();
    };
    channel.onclose = () => this.#laneClosed(lane);
    channel.onbufferedamountlow = (event) => {
      if (this.bufferedAmount <= this.#lowThreshold) this.onbufferedamountlow?.(event);
    };
    channel.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      lane.queue.push(data);
      this.#deliver();
    };
    this.bufferedAmountLowThreshold = this.#lowThreshold;
    this.#useLanes();
  }

  send(data: string | Bytes): void {
    const { channel } = this.#lanes[this.#sendTurn] as Lane;
    // Throws where the lane is full: then it stays this lane's turn.
    if (typeof data === "string") channel.send(data);
    else channel.send(data);
    this.#sendTurn = (this.#sendTurn + 1) % this.#sendLanes;
  }

  close(): void {
    for (const { channel } of this.#lanes) channel.close();
    this.#closed();
  }

  /** All lanes that are there, once all of them are open. */
  #useLanes(): void {
    const { length } = this.#lanes;
    if (
      this.#isComplete ||
      length === this.#sendLanes ||
      this.#lanes.some(({ channel }) => channel.readyState !== "open")
    )
      return;
    try {
      this.send(`${LANES}${length}`);
    } catch {
      return; // Closing; or full, which a lane that has just opened will not be for long: the next one tries again.
    }
    this.#sendLanes = length;
    this.#sendTurn = 0;
  }

  #deliver(): void {
    while (this.#onmessage !== null && !this.#isClosed) {
      const lane = this.#lanes[this.#receiveTurn];
      const data = lane?.queue.shift();
      if (data === undefined) return this.#endWithLanes();
      this.#receiveTurn = (this.#receiveTurn + 1) % this.#receiveLanes;
      if (typeof data === "string" && data.startsWith(LANES)) this.#announced(Number(data.slice(LANES.length)));
      else this.#onmessage(new MessageEvent("message", { data }));
    }
  }

  #announced(lanes: number): void {
    // Lanes may have closed before this was heard, which came by another one: they have brought what was sent over them.
    const isKnown = !this.#isComplete || lanes <= this.#lanes.length;
    if (!Number.isInteger(lanes) || lanes < 1 || lanes > LANES_MAX || !isKnown) return this.close();
    this.#receiveLanes = lanes;
    this.#receiveTurn = 0;
  }

  #laneClosed(lane: Lane): void {
    lane.isOver = true;
    if (this.#lanes.indexOf(lane) >= this.#lanesInUse) this.#isComplete = true;
    this.#endWithLanes();
  }

  get #lanesInUse(): number {
    return Math.max(this.#sendLanes, this.#receiveLanes);
  }

  /** Where a lane in use is closed, that is the end. */
  #endWithLanes(): void {
    if (!this.#lanes.slice(0, this.#lanesInUse).some(({ isOver }) => isOver)) return;
    // The others bring what was sent before, a farewell for example.
    if (this.#lanes.every(({ isOver }) => isOver)) this.#closed();
    else this.#cancelLinger ??= this.#clock.after(LINGER_MS, () => this.close());
  }

  #closed(): void {
    this.#cancelLinger?.();
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.onclose?.(new Event("close"));
  }
}
