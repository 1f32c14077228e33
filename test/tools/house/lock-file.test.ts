import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { completeLock, missingOptional } from "../../../tools/house/lock-file.ts";
import type { LockFile } from "../../../tools/house/lock-file.ts";

test("package-lock.json names every optional package of every platform, without which npm ci refuses it", () => {
  const lock = JSON.parse(readFileSync(new URL("../../../package-lock.json", import.meta.url), "utf8")) as LockFile;
  expect(missingOptional(lock).map(([path]) => path)).toEqual([]);
});

test("optional packages that are missing are put back with their platform, and those that are there stay", () => {
  const present = { version: "1.2.3", cpu: ["x64"], os: ["linux"], optional: true };
  const lock = {
    lockfileVersion: 3,
    packages: {
      "node_modules/tool": {
        version: "1.2.3",
        dev: true,
        optionalDependencies: {
          "@tool/linux-x64-gnu": "1.2.3",
          "@tool/linux-arm-musleabihf": "1.2.3",
          "@tool/darwin-arm64": "1.2.3",
          "@tool/wasm32-wasi": "1.2.3",
          anything: "^2.0.0",
        },
      },
      "node_modules/other/node_modules/tool": { optionalDependencies: { "@tool/win32-ia32-msvc": "1.0.0" } },
      "node_modules/@tool/linux-x64-gnu": present,
      "node_modules/other/node_modules/@tool/win32-ia32-msvc": { version: "1.0.0" },
    },
  };
  const complete = completeLock<LockFile & { lockfileVersion: number }>(lock);
  expect(complete.lockfileVersion).toBe(3);
  expect(missingOptional(complete)).toEqual([]);
  expect(Object.keys(complete.packages)[0]).toBe("node_modules/@tool/darwin-arm64");
  const put = (name: string): unknown => complete.packages[`node_modules/@tool/${name}`];
  expect(put("linux-x64-gnu")).toBe(present);
  expect(put("darwin-arm64")).toEqual({ version: "1.2.3", cpu: ["arm64"], dev: true, optional: true, os: ["darwin"] });
  expect(put("linux-arm-musleabihf")).toEqual({
    version: "1.2.3",
    cpu: ["arm"],
    dev: true,
    libc: ["musl"],
    optional: true,
    os: ["linux"],
  });
  expect(put("wasm32-wasi")).toEqual({ version: "1.2.3", dev: true, optional: true });
  expect(put("win32-ia32-msvc")).toBeUndefined();
  expect(complete.packages["node_modules/anything"]).toBeUndefined();
});
