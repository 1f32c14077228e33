/** Values of files in messages: short, whatever the file holds. */

/** `value` as JSON, cut at `lengthMax` characters. */
export function excerpt(value: unknown, lengthMax: number = 80): string {
  if (typeof value === "string" && value.length > lengthMax) return `${JSON.stringify(value.slice(0, lengthMax))}...`;
  const text = value === undefined ? "none" : (JSON.stringify(value) ?? "none");
  return text.length > lengthMax ? `${text.slice(0, lengthMax)}...` : text;
}
