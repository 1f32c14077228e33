/** Images decoded by the browser, on the page or in a worker. */
import { CorruptDataError, OptionError, UnsupportedError } from "../../base/errors.ts";
import type { DecodeImage } from "../../model/data/files/image.ts";

/**
 * An image's pixels, by `createImageBitmap` and a canvas; colours are not converted. Pixels that are partly transparent
 * lose some of their colours' last bits in the canvas.
 * @throws CorruptDataError for what is no image; OptionError; UnsupportedError outside of browsers: decode images
 * there beforehand, into IDX or npy files
 */
export const decodeImage: DecodeImage = async (file, { width, height } = {}) => {
  if (!("createImageBitmap" in globalThis) || !("OffscreenCanvas" in globalThis)) {
    throw new UnsupportedError("decodeImage: expected a browser, which decodes images, found none");
  }
  if ((width === undefined) !== (height === undefined)) {
    throw new OptionError("decodeImage: expected width and height or neither, found one");
  }
  const blob = file instanceof Blob ? file : new Blob([file]);
  const bitmap = await createImageBitmap(blob, {
    colorSpaceConversion: "none",
    premultiplyAlpha: "none",
    ...(width === undefined || height === undefined
      ? {}
      : { resizeWidth: width, resizeHeight: height, resizeQuality: "high" }),
  }).catch((cause: unknown) => {
    throw new CorruptDataError(`decodeImage: expected an image, found ${blob.size} bytes that decode to none`, {
      cause,
    });
  });
  try {
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    const context = canvas.getContext("2d", { willReadFrequently: true });
    if (context === null) throw new UnsupportedError("decodeImage: expected a canvas, found that there is none");
    context.drawImage(bitmap, 0, 0);
    const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height);
    return { width: bitmap.width, height: bitmap.height, data };
  } finally {
    bitmap.close();
  }
};
