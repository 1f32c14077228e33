/** Links to the other tabs of this browser, by way of its `PortExchange`. */
import type { Clock } from "../../../base/clock.ts";
import { deferred } from "../../deferred.ts";
import type { Deferred } from "../../deferred.ts";
import type { PeerId } from "../transport.ts";
import { MessagePortTransport } from "./message-port-transport.ts";
import type { FromExchange, ToExchange } from "./port-exchange.ts";

/** A transport that reaches tabs of one browser. One that is not there yet is dialled again until the deadline. */
export function exchangeTransport(self: PeerId, clock: Clock, line: MessagePort): MessagePortTransport {
  return new ExchangeTransport(self, clock, new ExchangeLine(self, line));
}

class ExchangeTransport extends MessagePortTransport {
  readonly #line: ExchangeLine;

  constructor(self: PeerId, clock: Clock, line: ExchangeLine) {
    super(self, clock, (peer) => line.dial(peer));
    this.#line = line;
    line.onIncoming = (peer, port) => this.acceptPort(peer, port);
  }

  /** Asks the exchange. Never answers where that is not there. */
  override reaches(peer: PeerId): Promise<boolean> {
    return this.#line.isHere(peer);
  }

  override close(): void {
    super.close();
    this.#line.close();
  }
}

/** The exchange, as a tab sees it. */
class ExchangeLine {
  onIncoming: (peer: PeerId, port: MessagePort) => void = () => {};
  readonly #line: MessagePort;
  readonly #dials = new Map<number, Deferred<MessagePort>>();
  readonly #questions = new Map<number, Deferred<boolean>>();
  #count = 0;

  constructor(self: PeerId, line: MessagePort) {
    this.#line = line;
    line.onmessage = ({ data }: MessageEvent<FromExchange>) => this.#onMessage(data);
    this.#post({ kind: "here", peer: self });
  }

  dial(peer: PeerId): Promise<MessagePort> {
    const dial = deferred<MessagePort>();
    this.#dials.set((this.#count += 1), dial);
    this.#post({ kind: "dial", key: this.#count, peer });
    return dial.promise;
  }

  isHere(peer: PeerId): Promise<boolean> {
    const question = deferred<boolean>();
    this.#questions.set((this.#count += 1), question);
    this.#post({ kind: "ask", key: this.#count, peer });
    return question.promise;
  }

  close(): void {
    this.#post({ kind: "gone" });
  }

  #onMessage(message: FromExchange): void {
    if (message.kind === "incoming") return this.onIncoming(message.peer, message.port);
    if (message.kind === "answer") {
      this.#questions.get(message.key)?.resolve(message.isHere);
      this.#questions.delete(message.key);
      return;
    }
    const dial = this.#dials.get(message.key);
    this.#dials.delete(message.key);
    if (message.kind === "connected") dial?.resolve(message.port);
    else dial?.reject("no such tab in this browser");
  }

  #post(message: ToExchange): void {
    this.#line.postMessage(message);
  }
}
