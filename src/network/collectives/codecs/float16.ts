/** Half the bytes: values as float16, rounded to nearest. */
import { bytesOf } from "../../../base/bytes.ts";
import { CorruptDataError } from "../../../base/errors.ts";
import { decodeFloat16, encodeFloat16 } from "../../../base/float16.ts";
import type { Codec } from "./codec.ts";

/** 2 bytes a value; what float16 cannot hold becomes infinite. */
export const float16Codec: Codec = {
  name: "float16",
  encode: (values) => bytesOf(encodeFloat16(values)),
  decode(bytes) {
    if (bytes.byteLength % 2 === 0) return decodeFloat16(new Uint16Array(bytes.slice().buffer));
    throw new CorruptDataError(`float16: expected an even number of bytes, found ${bytes.byteLength}`);
  },
};
