/** The reference of the API builds without a warning: everything public has a comment, and all links lead somewhere. */
import { fileURLToPath } from "node:url";
import { Application } from "typedoc";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

test("typedoc has nothing to warn of", async () => {
  const messages: string[] = [];
  const app = await Application.bootstrapWithPlugins({
    options: `${root}typedoc.json`,
    tsconfig: `${root}tsconfig.json`,
  });
  // Levels: 0 verbose, 1 information, 2 warnings, 3 errors.
  app.logger.log = (message, level) => void (level >= 2 && messages.push(message));
  const project = await app.convert();
  if (project) app.validate(project);
  expect(messages).toEqual([]);
  expect(project?.children?.length).toBe(7);
}, 120_000);
