/** A mux under fire: a stranger that is a member sends it whatever bytes it likes. */
import { systemClock } from "../../src/base/clock.ts";
import type { Bytes } from "../../src/base/bytes.ts";
import type { Random } from "../../src/base/random.ts";
import { CorruptDataError } from "../../src/base/errors.ts";
import { Group } from "../../src/network/collectives/group.ts";
import { Mux } from "../../src/network/mux.ts";
import type { Link, Transport } from "../../src/network/transport/transport.ts";
import { encodeFrame, FRAME_TYPE } from "../../src/network/wire/frame.ts";
import type { FrameType } from "../../src/network/wire/frame.ts";
import { mutateBytes, randomBytes } from "./mutate.ts";

const TYPES = Object.keys(FRAME_TYPE) as FrameType[];
const MEMBERS = ["self", "stranger", "friend"];

/** Frames, most of them whole, with numbers that are nearly right; some damaged, some noise. */
export function frameInput(random: Random): Bytes {
  if (random.below(20) === 0) return randomBytes(random, 100);
  const number = (usual: number): number => (random.below(8) === 0 ? random.below(0x1_0000) : usual);
  const frame = encodeFrame({
    type: random.pick(TYPES),
    incarnation: number(1),
    epoch: number(random.below(3)),
    group: number(0),
    operation: number(random.below(4)),
    message: number(random.below(3)),
    chunk: number(random.below(3)),
    chunks: number(1 + random.below(3)),
    payload: randomBytes(random, random.below(10) === 0 ? 2_000 : 60),
  });
  return random.below(4) === 0 ? mutateBytes(frame, random) : frame;
}

/** A link that goes nowhere, and takes in what it is given. */
class DeafLink implements Link {
  readonly path = "simulated";
  readonly frameBytesMax: number = 256 * 1024;
  readonly isOpen = true;
  readonly stats = { bytesSent: 0, bytesReceived: 0, framesSent: 0, framesReceived: 0, framesDropped: 0 };
  readonly peer: string;
  receive: (message: Bytes) => void = () => {};

  constructor(peer: string) {
    this.peer = peer;
  }

  async send(): Promise<void> {}
  async probe(): Promise<void> {}
  onClose(): void {}
  close(): void {}
  onMessage(receive: (message: Bytes) => void): void {
    this.receive = receive;
  }
}

/** One mux for all inputs: what it keeps must stay within bounds. */
export class FrameTarget {
  readonly #stranger = new DeafLink("stranger");
  readonly #mux: Mux;
  #group: Group;
  #epoch = 1;
  #frames = 0;

  constructor() {
    const links = [this.#stranger, new DeafLink("friend")];
    const transport: Transport = {
      self: "self",
      connect: async () => this.#stranger,
      onLink: (accept) => links.forEach(accept),
      disconnect: () => {},
      close: () => {},
    };
    this.#mux = new Mux({ transport, malformedFramesMax: Infinity, earlyBytesMax: 100_000 });
    this.#group = this.#open();
  }

  /** Now and then a new epoch begins, and operations with it. @throws CorruptDataError for what is no frame */
  read(input: Bytes): number {
    const refusedBefore = this.#refused();
    this.#stranger.receive(input);
    this.#frames += 1;
    if (this.#frames % 500 === 0) {
      this.#group.close("next epoch");
      this.#epoch += 1;
      this.#group = this.#open();
    }
    const refused = this.#refused() - refusedBefore;
    if (refused > 0) throw new CorruptDataError(`frame: expected a whole one, found ${refused} that was dropped`);
    return 0;
  }

  #refused(): number {
    const { malformed, checksum, version } = this.#mux.stats().dropped;
    return malformed + checksum + version;
  }

  #open(): Group {
    const fence = { incarnation: 1, epoch: this.#epoch % 0xffff };
    const group = new Group({ mux: this.#mux, members: MEMBERS, fence, clock: systemClock });
    const options = { category: "gradients", deadlineMs: 60_000 } as const;
    const pending = [
      group.allReduce(new Float32Array(30), { ...options, operation: 1, algorithm: "ring" }),
      group.broadcast(1, null, { ...options, operation: 2 }),
      group.receive(1, { ...options, operation: 3 }),
    ];
    for (const one of pending) one.catch(() => {});
    return group;
  }
}
