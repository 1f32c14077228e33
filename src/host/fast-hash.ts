/** SHA-256 off the thread that asks, where the platform has WebCrypto (secure pages and Node): training is not held up by it. */
import { toHex, type Bytes } from "../base/bytes.ts";
import { hashBytes, type Hash } from "../base/hash.ts";

/** SHA-256 of `bytes`, which must stay as they are until it resolves. */
export async function fastHash(bytes: Bytes): Promise<Hash> {
  const subtle = globalThis.crypto?.subtle as SubtleCrypto | undefined;
  return subtle ? toHex(new Uint8Array(await subtle.digest("SHA-256", bytes))) : hashBytes(bytes);
}
