/** The server alone, without building the app: `tsx signaling-server/main.ts [--port N] [--data DIR] [--app DIR]`. */
import { fail, parseServerArguments, runServer, type ServerArguments } from "./cli.ts";

let args: ServerArguments;
try {
  args = parseServerArguments(process.argv.slice(2), process.env);
} catch (error) {
  fail(error);
}
await runServer(args);
