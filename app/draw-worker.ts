/** Draws the digits of `digits` away from the page, which stays responsive meanwhile: one message back, the CSV. */
import { drawDigits } from "../examples/draw-digits.ts";

postMessage(drawDigits());
