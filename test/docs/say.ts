/** What stands for `console.log` in the examples of the documentation: keeps what they say, with the line. */

export interface Said {
  readonly line: number;
  readonly text: string;
}

class Listener {
  #said: Said[] = [];

  say(line: number, ...values: readonly unknown[]): void {
    const words = values.map((value) => (typeof value === "string" ? value : shown(value)));
    this.#said.push({ line, text: words.join(" ") });
  }

  /** All that was said since the last time. */
  take(): readonly Said[] {
    return this.#said.splice(0);
  }
}

export const listener: Listener = new Listener();

/** Five digits of fractions: what is shown of a float32 is then the same on all devices. */
function shown(value: unknown): string {
  if (typeof value === "number") return String(Number.isInteger(value) ? value + 0 : Number(value.toPrecision(5)));
  if (typeof value === "string") return JSON.stringify(value);
  if (ArrayBuffer.isView(value)) return shown([...(value as Float32Array)]);
  if (Array.isArray(value)) return `[${value.map(shown).join(", ")}]`;
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) {
    return String(value);
  }
  const fields = Object.entries(value).map(([name, inner]) => `${name}: ${shown(inner)}`);
  return `{ ${fields.join(", ")} }`;
}
