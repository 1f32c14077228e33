/** The real server, with limits under which every checkpoint is stripes with parity: in rooms of four devices any two of four. */
import { parseServerArguments, runServer } from "../../../signaling-server/cli.ts";
import { DEFAULT_LIMITS } from "../../../src/training/coordinator/protocol.ts";

const args = parseServerArguments(process.argv.slice(2), process.env);
await runServer(args, { ...DEFAULT_LIMITS, lossChanceMax: 1, copiesMax: 0 });
