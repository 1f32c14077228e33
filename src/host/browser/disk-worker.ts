/** The program of the worker that keeps an engine's checkpoints. */
import { expose } from "comlink";
import { serveDisk } from "./disk.ts";

expose(serveDisk());
