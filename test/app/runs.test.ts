import { expect, test } from "vitest";
import { runForFile, runs } from "../../app/runs.ts";
import addition from "../../examples/addition.ts";
import charGpt from "../../examples/char-gpt.ts";
import digits from "../../examples/digits.ts";

test("the page's list of runs says what the runs themselves say", () => {
  const listed = runs.map(({ name, accept, steps }) => ({ name, accept, steps }));
  const defined = [charGpt, digits, addition].map(({ name, data, steps }) => ({ name, accept: data.accept, steps }));
  expect(listed).toEqual(defined);
});

test("a dropped file chooses the run that takes its kind, and keeps the chosen one where nobody claims it", () => {
  const [write, read, add] = runs;
  const chosen = (fileName: string, before = write): string => runForFile(fileName, before).name;
  expect(chosen("hamlet.txt", read)).toBe("char-gpt");
  expect(chosen("digits.CSV")).toBe("digits");
  expect(chosen("notes", read)).toBe("digits");
  expect(chosen("notes.md", add)).toBe("char-gpt");
});
