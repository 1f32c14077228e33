/** The planted bugs: `npm run simulate -- --plant list`. The simulator must find every one of them. */
import type { Plant, PlantName } from "./plant.ts";
import {
  announceFirst,
  believeOwners,
  believeReady,
  believeStored,
  decideTwice,
  forgeVotes,
  ignoreFarewells,
  keepIncarnation,
  releaseAtOnce,
  muteAudits,
  swapClaims,
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
  "parity-of-another-step": {
    what: "a member writes what it has when the disk is ready, which may be a later step",
    limits: { lossChanceMax: 1, copiesMax: 0 },
  },
  "both-copies": {
    what: "a late member's slots count as it computed them and as its backup did",
    limits: { lateBackup: 1 },
  },
  "two-decisions": {
    what: "members of one step hear different decisions whose copies of slots count",
    coordinator: decideTwice,
    limits: { lateBackup: 1 },
  },
  "released-at-once": {
    what: "a member that goes is released before the others hold its part",
    coordinator: releaseAtOnce,
  },
  "farewell-unheard": {
    what: "a member that said it goes gets slots and shards in further epochs",
    coordinator: ignoreFarewells,
  },
  "audits-ignored": { what: "what an audit finds has no consequence", coordinator: muteAudits, audits: "all" },
  "wrong-one-put-out": {
    what: "of two devices that differ the one that is right is put out",
    coordinator: swapClaims,
    audits: "all",
  },
  "quarantine-forgotten": {
    what: "a restarted coordinator does not know who was put out",
    onReplayed: (state) => ({ ...state, durable: { ...state.durable, quarantines: new Map() } }),
    audits: "all",
  },
};

export const PLANT_NAMES = Object.keys(PLANTS) as PlantName[];
