import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { lockDirectory } from "../../signaling-server/data-lock.ts";
import { OptionError, QuotaError } from "../../src/base/errors.ts";

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "hearth-lock-"));
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

test("a folder is held by one at a time, and free again afterwards", async () => {
  const unlock = await lockDirectory(directory);
  await expect(lockDirectory(directory)).rejects.toBeInstanceOf(OptionError);
  await expect(lockDirectory(`${directory}/../${directory.split("/").pop()}`)).rejects.toBeInstanceOf(OptionError);
  await unlock();
  const again = await lockDirectory(directory);
  expect(await readdir(directory)).toEqual(["lock"]);
  await again();
  expect(await readdir(directory)).toEqual([]);
});

test("a lock of a process that lives is respected, one of a process that died is taken over", async () => {
  const child = spawn(process.execPath, ["-e", "setTimeout(() => {}, 60_000)"], { stdio: "ignore" });
  await once(child, "spawn");
  await writeFile(join(directory, "lock"), `${child.pid}\n`);
  await expect(lockDirectory(directory)).rejects.toThrow(`process ${child.pid}`);
  child.kill("SIGKILL");
  await once(child, "exit");
  const unlock = await lockDirectory(directory);
  await unlock();
});

test.runIf(process.platform === "linux")("a process id that another program got since does not count", async () => {
  await writeFile(join(directory, "lock"), `${process.ppid} 1\n`);
  const unlock = await lockDirectory(directory);
  await unlock();
});

test("a lock that is empty or garbage, or that this very process id left before, is taken over", async () => {
  for (const content of ["", "garbage\n", `${process.pid} 1\n`]) {
    await writeFile(join(directory, "lock"), content);
    const unlock = await lockDirectory(directory);
    await unlock();
  }
});

test("a folder that cannot be made is named", async () => {
  await writeFile(join(directory, "file"), "");
  await expect(lockDirectory(join(directory, "file", "data"))).rejects.toBeInstanceOf(QuotaError);
});
