/** Links to the other tabs of this browser, by way of its `PortExchange`. */
import type { Clock } from "../../../base/clock.ts";
import { deferred } from "../../deferred.ts";
import type { Deferred } from "../../deferred.ts";
import type { PeerId } from "../transport.ts";
import { MessagePortTransport } from "./message-port-transport.ts";
import type { FromExchange, ToExchange } from "./port-exchange.ts";

/** A transport that reaches tabs of one browser. One that is not there yet is dialled again until the deadline. */
export function exchangeTransport(self: PeerId, clock: Clock, line: MessagePort): MessagePortTransport {
  const calls = new Map<number, Deferred<MessagePort>>();
  const post = (message: ToExchange): void => line.postMessage(message);
  let count = 0;
  const transport = new MessagePortTransport(self, clock, (peer) => {
    const key = (count += 1);
    const call = deferred<MessagePort>();
    calls.set(key, call);
    post({ kind: "dial", key, peer });
    return call.promise;
  });
  line.onmessage = ({ data }: MessageEvent<FromExchange>) => {
    if (data.kind === "incoming") return transport.acceptPort(data.peer, data.port);
    const call = calls.get(data.key);
    calls.delete(data.key);
    if (data.kind === "connected") call?.resolve(data.port);
    else call?.reject("no such tab in this browser");
  };
  post({ kind: "here", peer: self });
  return transport;
}
