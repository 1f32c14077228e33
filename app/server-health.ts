/** Is the server there? It answers `/healthz`; when it does not, the page says so and looks again. */

const PATIENCE_MS = 4_000;
const AGAIN_MS = 3_000;

/** The sentence that people read while the server is away. */
export const SERVER_AWAY = "The hearth server does not answer. Is it running, and is this device online?";

/** True when the server answers within four seconds. */
export async function isServerThere(): Promise<boolean> {
  try {
    const answer = await fetch("/healthz", { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
    return answer.ok;
  } catch {
    return false;
  }
}

/** Resolves once the server answers; looks every three seconds until `signal` aborts. */
export async function untilServerThere(signal: AbortSignal): Promise<void> {
  while (!signal.aborted && !(await isServerThere())) {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, AGAIN_MS);
      signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
    });
  }
}
