import { expect, test } from "vitest";
import { CorruptDataError, OptionError } from "../../../src/base/errors.ts";
import { decodeImage } from "../../../src/host/browser/decode-image.ts";
import { workerPort, workerScopePort } from "../../../src/host/browser/worker-ports.ts";
import { openUrl } from "../../../src/host/url-source.ts";
import { imageToTensor } from "../../../src/model/data/files/image.ts";
import { readIdx } from "../../../src/model/data/files/idx.ts";
import type { HostTensor } from "../../../src/model/data/host-tensor.ts";
import { DataLoader } from "../../../src/model/data/loader/data-loader.ts";
import { openWorkerDataset } from "../../../src/model/data/loader/worker-dataset.ts";

test("batches are made in a module worker and come in order; its errors name the example", async () => {
  const url = new URL("./squares-worker.ts", import.meta.url);
  const dataset = await openWorkerDataset<HostTensor>({
    open: () => workerPort(new Worker(url, { type: "module" })),
    options: 6,
    workers: 2,
  });
  const found: number[] = [];
  const loader = new DataLoader(dataset, { batchSize: 1 });
  let error: unknown;
  try {
    for await (const { data } of loader.hostBatches()) found.push(...data);
  } catch (caught) {
    error = caught;
  }
  expect(found).toEqual([0, 1, 4]);
  expect(error).toBeInstanceOf(CorruptDataError);
  expect(String(error)).toMatch(/example 3 .*torn/);
  dataset.close();
});

test("a worker that cannot be loaded is one clear error", async () => {
  const open = (): Promise<unknown> =>
    openWorkerDataset({ open: () => workerPort(new Worker("/nowhere.ts", { type: "module" })), deadlineMs: 10_000 });
  await expect(open()).rejects.toThrow(OptionError);
  await expect(open()).rejects.toThrow(/worker stopped/);
  expect(() => workerScopePort()).toThrow(OptionError);
});

test("an image is decoded, scaled and made a tensor", async () => {
  const canvas = new OffscreenCanvas(4, 2);
  const context = canvas.getContext("2d");
  if (context === null) throw new OptionError("test: expected a canvas, found none");
  context.fillStyle = "rgb(255, 0, 51)";
  context.fillRect(0, 0, 2, 2);
  context.fillStyle = "rgb(0, 102, 255)";
  context.fillRect(2, 0, 2, 2);
  const png = await canvas.convertToBlob({ type: "image/png" });
  const image = await decodeImage(new Uint8Array(await png.arrayBuffer()));
  expect([image.width, image.height]).toEqual([4, 2]);
  const { shape, data } = imageToTensor(image);
  expect(shape).toEqual([3, 2, 4]);
  expect(data).toEqual(
    Float32Array.of(1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0.4, 0.4, 0, 0, 0.4, 0.4, 0.2, 0.2, 1, 1, 0.2, 0.2, 1, 1),
  );
  const small = await decodeImage(png, { width: 2, height: 1 });
  expect([small.width, small.height, small.data.length]).toEqual([2, 1, 8]);
  await expect(decodeImage(new Uint8Array(20))).rejects.toThrow(CorruptDataError);
  await expect(decodeImage(png, { width: 3 })).rejects.toThrow(OptionError);
});

test("gzip is the browser's own, and a URL is read by its fetch", async () => {
  const plain = Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 7, 9);
  const packed = new Response(new Blob([plain]).stream().pipeThrough(new CompressionStream("gzip")));
  expect((await readIdx(new Uint8Array(await packed.arrayBuffer()))).data).toEqual(Int32Array.of(7, 9));
  const source = await openUrl(new URL("./squares-worker.ts", import.meta.url));
  expect(new TextDecoder().decode(await source.read(0, source.size))).toContain("serveDataset");
});
