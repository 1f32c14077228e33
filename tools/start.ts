/**
 * `npm start`: builds the app where that is needed, then runs the server. Options are the server's:
 * `npm start -- --port 8081 --data DIR`.
 */
import { fileURLToPath } from "node:url";
import { fail, parseServerArguments, runServer, type ServerArguments } from "../signaling-server/cli.ts";
import { buildApp } from "./build-app.ts";

let args: ServerArguments;
let app: string;
try {
  args = parseServerArguments(process.argv.slice(2), process.env);
  app = args.app ?? (await buildApp(fileURLToPath(new URL("..", import.meta.url))));
} catch (error) {
  fail(error);
}
await runServer({ ...args, app });
