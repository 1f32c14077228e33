/** The planted bugs: `npm run simulate -- --plant list`. The simulator must find every one of them. */
import type { Plant, PlantName } from "./plant.ts";
import {
  announceFirst,
  believeOwners,
  believeReady,
  believeStored,
  forgeVotes,
  keepIncarnation,
} from "./coordinator-plants.ts";

export const PLANTS: Readonly<Record<PlantName, Plant>> = {
  "stale-rejoin": {
    what: "a member keeps the state it has instead of getting the epoch's, and says it has the right one",
  },
  "keep-pending": { what: "a member goes on from a result that was voted for and never committed" },
  "vote-without-replicas": { what: "a member votes for replicas that have not arrived" },
  "commit-on-a-claimed-hash": {
    what: "COMMIT takes the owner's word for what its replica and the others hold",
    coordinator: believeOwners,
  },
  "fence-without-incarnation": {
    what: "epochs begin anew after a restart, and frames are told apart by epoch and step alone",
    onReplayed: (state) => ({ ...state, durable: { ...state.durable, epoch: 0 } }),
  },
  "discard-pending-by-deadline": { what: "a member that hears no verdict for two seconds gives its result up" },
  "ready-not-confirmed": {
    what: "the coordinator plans steps on a map of owners and replicas that nobody has shown to hold",
    coordinator: believeReady,
  },
  "two-coordinators": { what: "appending to the log does not look at its length" },
  "mean-of-means": { what: "members are averaged, however many slots each had" },
  "gradients-twice": { what: "a gradient that arrives twice is counted twice" },
  "forged-quorum": { what: "a majority's votes count for everybody", coordinator: forgeVotes },
  "announce-before-append": { what: "COMMIT is announced before it is on the disk", coordinator: announceFirst },
  "hasty-rollback": {
    what: "a rollback waits for nobody to come back",
    limits: { graceMs: 0 },
  },
  "checkpoint-before-stored": {
    what: "a checkpoint is logged whatever the writers say",
    coordinator: believeStored,
  },
  "collect-before-logged": { what: "a member deletes old checkpoints when a new one is begun" },
  "trust-the-disk": { what: "what the disk returns is believed without its hash" },
  "rollback-keeps-incarnation": {
    what: "a rollback does not begin a new incarnation",
    coordinator: keepIncarnation,
  },
  "inventory-of-the-dead": { what: "a tab offers what the one before it on its device held in memory" },
};

export const PLANT_NAMES = Object.keys(PLANTS) as PlantName[];
