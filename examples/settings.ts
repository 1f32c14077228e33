/** `--set key=value`: the numbers that a run lets people change, with their defaults. */
import { OptionError } from "hearth";

/** `defaults`, with what `settings` says instead. @throws OptionError for a key that is not there or a value that is no positive number */
export function numbersFrom<K extends string>(
  settings: Readonly<Record<string, string>>,
  defaults: Readonly<Record<K, number>>,
): Record<K, number> {
  const numbers: Record<K, number> = { ...defaults };
  for (const [key, text] of Object.entries(settings)) {
    const value = Number(text);
    if (!Object.hasOwn(defaults, key)) {
      throw new OptionError(`The setting “${key}” is unknown: expected one of ${Object.keys(defaults).join(", ")}.`);
    }
    if (text.trim() === "" || !Number.isFinite(value) || value <= 0) {
      throw new OptionError(`The setting “${key}” is expected to be a positive number, found “${text}”.`);
    }
    numbers[key as K] = value;
  }
  return numbers;
}
