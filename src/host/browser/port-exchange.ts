/** The page's way to the other tabs of its browser. */

/** A line to the exchange of this browser, for `exchangeTransport`, here or in a worker; null where there is none. */
export function openPortExchange(): MessagePort | null {
  if (typeof SharedWorker === "undefined") return null;
  // In one expression, or bundlers do not see that it is a worker.
  return new SharedWorker(new URL("./port-exchange-worker.ts", import.meta.url), { type: "module", name: "hearth ports" }).port; // prettier-ignore
}
