/** A transport whose arriving messages somebody looks at first: where planted bugs get between wire and mux. */
import type { Bytes } from "../../../src/base/bytes.ts";
import type { Link, Transport } from "../../../src/network/transport/transport.ts";

/** What becomes of a message: itself, another one, or null for none. */
export type Tamper = (message: Bytes) => Bytes | null;

export function tamperingTransport(transport: Transport, tamper: Tamper): Transport {
  const watched = (link: Link): Link => ({
    peer: link.peer,
    path: link.path,
    frameBytesMax: link.frameBytesMax,
    stats: link.stats,
    get isOpen() {
      return link.isOpen;
    },
    send: (frame) => link.send(frame),
    probe: (options) => link.probe(options),
    onClose: (closed) => link.onClose(closed),
    close: (reason) => link.close(reason),
    onMessage: (receive) => {
      link.onMessage((message) => {
        const left = tamper(message);
        if (left !== null) receive(left);
      });
    },
  });
  return {
    self: transport.self,
    connect: (peer, options) => transport.connect(peer, options),
    onLink: (accept) => transport.onLink((link) => accept(watched(link))),
    disconnect: (peer, reason) => transport.disconnect(peer, reason),
    close: () => transport.close(),
  };
}
