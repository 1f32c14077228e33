/** Running other programs: their output here, or kept. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository. */
const ROOT: string = fileURLToPath(new URL("../..", import.meta.url));

export interface CommandResult {
  /** 0 is success; null when it was killed or could not start. */
  readonly code: number | null;
  /** What it wrote, both streams in order; empty when that went to the terminal. */
  readonly output: string;
  readonly ms: number;
}

export interface CommandOptions {
  /** True shows the output as it comes. */
  readonly isShown: boolean;
  readonly environment?: Readonly<Record<string, string>>;
}

export function runCommand(
  program: string,
  parameters: readonly string[],
  options: CommandOptions,
): Promise<CommandResult> {
  const startMs = performance.now();
  const child = spawn(program, parameters, {
    cwd: ROOT,
    env: { ...process.env, ...options.environment },
    stdio: options.isShown ? "inherit" : ["ignore", "pipe", "pipe"],
    // Programs of packages are scripts there.
    shell: process.platform === "win32",
  });
  const chunks: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => chunks.push(text));
  }
  return new Promise((resolve) => {
    const end = (code: number | null): void =>
      resolve({ code, output: chunks.join(""), ms: performance.now() - startMs });
    child.on("error", (error) => {
      chunks.push(`${program}: ${error.message}\n`);
      end(null);
    });
    child.on("close", end);
  });
}

/** The program of an installed package. */
export function packageProgram(name: string): string {
  return join(ROOT, "node_modules", ".bin", name);
}

export function isInstalled(name: string): boolean {
  return existsSync(packageProgram(name));
}
