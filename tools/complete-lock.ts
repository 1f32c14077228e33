/** `npx tsx tools/complete-lock.ts`, after npm has written `package-lock.json`: see `house/lock-file.ts` for why. */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { completeLock, missingOptional } from "./house/lock-file.ts";
import type { LockFile } from "./house/lock-file.ts";

const path = fileURLToPath(new URL("../package-lock.json", import.meta.url));
const lock = JSON.parse(readFileSync(path, "utf8")) as LockFile;
const count = missingOptional(lock).length;
if (count > 0) writeFileSync(path, `${JSON.stringify(completeLock(lock), null, 2)}\n`);
console.log(`package-lock.json: ${count} optional packages of other platforms put back.`);
