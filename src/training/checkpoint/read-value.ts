/** Reading a value that may be damaged: the stores above count it and go on. */
import type { Bytes } from "../../base/bytes.ts";
import { CorruptDataError } from "../../base/errors.ts";
import type { Store } from "../../storage/store.ts";

/** "unreadable" for a value that the storage has and cannot read. */
export async function readValue(store: Store, key: string): Promise<Bytes | undefined | "unreadable"> {
  try {
    return await store.get(key);
  } catch (error) {
    if (error instanceof CorruptDataError) return "unreadable";
    throw error;
  }
}
