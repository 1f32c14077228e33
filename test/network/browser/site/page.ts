/** The page of a test tab. The test calls `hearthTest`. */
import { transfer, wrap } from "comlink";
import { RtcPage } from "../../../../src/host/browser/rtc-page.ts";
import type { TestEngine } from "./engine.ts";

/** What the test calls, by way of `page.evaluate`. */
export interface TestTab {
  call(method: string, ...args: unknown[]): Promise<unknown>;
  browserBytesSent(): Promise<number>;
}

const query = new URLSearchParams(location.search);
const self = query.get("self") ?? "";
const page = await RtcPage.open({
  self,
  server: new URL(query.get("server") ?? ""),
  transfersChannels: query.get("relay") === null,
});
const engine = wrap<TestEngine>(new Worker(new URL("./engine.ts", import.meta.url), { type: "module" }));
await engine.start(self, transfer(page.port, [page.port]));
const methods = engine as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
(globalThis as { hearthTest?: TestTab }).hearthTest = {
  call: (method, ...args) => methods[method]?.(...args) ?? Promise.reject(new TypeError(`no method ${method}`)),
  browserBytesSent: () => page.browserBytesSent(),
};
