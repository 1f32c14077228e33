/** What the matrix of collectives can be run over. */
export const NETWORKS = ["simulated", "ports", "webrtc", "node-webrtc"] as const;

export type NetworkName = (typeof NETWORKS)[number];
