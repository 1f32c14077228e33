/**
 * What a run trains on when nobody drops a file, as a file: the room then names it by content like any other, and it
 * travels from tab to tab. So neither a newer version of this site nor another machine's fonts change a room's data.
 */

/** For the text to arrive or the digits to be drawn; some machines are slow. */
const DATA_MS_MAX = 20_000;

/** The default data of the run named `run`; null where it needs none or cannot be had, which leaves it to the run itself. */
export async function defaultFile(run: string): Promise<File | null> {
  try {
    if (run === "char-gpt") return await ownSource();
    if (run === "digits") return new File([await drawnDigits()], "drawn-digits.csv", { type: "text/csv" });
  } catch {
    // The run says what is wrong with its default data, if it comes to that.
  }
  return null;
}

async function ownSource(): Promise<File | null> {
  const response = await fetch("/own-source.txt", { signal: AbortSignal.timeout(DATA_MS_MAX) });
  return response.ok ? new File([await response.blob()], "own-source.txt", { type: "text/plain" }) : null;
}

function drawnDigits(): Promise<string> {
  const worker = new Worker(new URL("./draw-worker.ts", import.meta.url), { type: "module", name: "hearth digits" });
  const drawn = new Promise<string>((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<string>) => resolve(data);
    worker.onerror = reject;
    AbortSignal.timeout(DATA_MS_MAX).onabort = reject;
  });
  return drawn.finally(() => worker.terminate());
}
