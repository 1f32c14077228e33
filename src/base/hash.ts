/** Content hashes. Synchronous, so that pure cores can use them, and the same where WebCrypto is missing. */
import { sha256 } from "@noble/hashes/sha2.js";
import { toHex } from "./bytes.ts";

/** A SHA-256 in lower-case hexadecimal: 64 characters. */
export type Hash = string;

const encoder = new TextEncoder();

/** SHA-256 of `bytes`. */
export function hashBytes(bytes: Uint8Array): Hash {
  return toHex(sha256(bytes));
}

/** SHA-256 of the UTF-8 of `text`. */
export function hashText(text: string): Hash {
  return hashBytes(encoder.encode(text));
}

/** The root over an ordered list: the hash of its hashes, told apart by `kind` from every other use. */
export function hashList(kind: string, hashes: readonly string[]): Hash {
  return hashText(`${kind}:${hashes.length}:${hashes.join(",")}`);
}
