/** The name of this browser profile, kept in its storage: tabs with the same one share GPU and disk, and so one fate. */
import type { Store } from "../../storage/store.ts";

const KEY = "device/id";

/** The stored name, or a new one; tabs that open together agree by a Web Lock. */
export async function deviceId(store: Store): Promise<string> {
  return navigator.locks.request("hearth device id", async () => {
    const known = await store.get(KEY);
    if (known) return new TextDecoder().decode(known);
    const name = `device-${crypto.randomUUID().slice(0, 8)}`;
    await store.put([{ key: KEY, value: new TextEncoder().encode(name) }], { durability: "strict" });
    return name;
  });
}
