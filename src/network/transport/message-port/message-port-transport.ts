/**
 * Links over MessagePorts: between tabs or workers of one browser that somebody can hand ports to. Who that is (a
 * SharedWorker, a test) is injected.
 */
import type { Clock } from "../../../base/clock.ts";
import { describeError, HearthError } from "../../../base/errors.ts";
import { ChannelTransport } from "../channel-transport.ts";
import type { Connection } from "../channel-transport.ts";
import type { PeerId } from "../transport.ts";
import { PortChannel } from "./port-channel.ts";

/** Hands one end of a new MessageChannel to `peer`, whose `acceptPort` gets it, and gives back the other end. */
export type PortBroker = (peer: PeerId) => Promise<MessagePort>;

/** Links over MessagePorts, for peers in one browser. */
export class MessagePortTransport extends ChannelTransport {
  constructor(self: PeerId, clock: Clock, broker: PortBroker) {
    super(self, clock, (peer, failed) => {
      let isAbandoned = false;
      const connection = new Promise<Connection>((resolve) => {
        broker(peer).then(
          (port) => (isAbandoned ? port.close() : resolve(connectionOver(port))),
          (error: unknown) => {
            failed(error instanceof HearthError ? error : describeError(error));
          },
        );
      });
      const abandon = (): void => {
        isAbandoned = true;
        void connection.then(({ channel }) => channel.close());
      };
      return { connection, abandon };
    });
  }

  /** A port whose other end `peer` holds. */
  acceptPort(peer: PeerId, port: MessagePort): void {
    this.accept(peer, connectionOver(port));
  }
}

function connectionOver(port: MessagePort): Connection {
  const channel = new PortChannel(port, { state: "open", acknowledges: "channel" });
  return { channel, path: "port", release: () => {} };
}
