/** The engine worker: the compute stack and the runs that this site serves. Nothing here reaches the page's bundle. */
import { serveEngine } from "hearth/swarm";
import addition from "../examples/addition.ts";
import charGpt from "../examples/char-gpt.ts";
import digits from "../examples/digits.ts";

serveEngine({ [charGpt.name]: charGpt, [digits.name]: digits, [addition.name]: addition });
