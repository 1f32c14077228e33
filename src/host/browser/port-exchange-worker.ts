/** The SharedWorker of a browser's tabs: nothing but the exchange of ports. */
import { PortExchange } from "../../network/transport/message-port/port-exchange.ts";

const exchange = new PortExchange();
const scope = globalThis as unknown as { onconnect: (event: { readonly ports: readonly MessagePort[] }) => void };
scope.onconnect = ({ ports: [line] }) => {
  if (line !== undefined) exchange.attach(line);
};
