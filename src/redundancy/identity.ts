/** What a box is to its peer: facts of the software and of the configuration. */
import { sha256 } from "@noble/hashes/sha2.js";
import { holdMs, helloMs, schemeGroup, usedAssociation } from "../check/topology.js";
import { type Config, DEFAULTS } from "../config/model.js";
import { type Address, bytesToBigint } from "../ip.js";

/** What no configuration says. */
export interface Surroundings {
  readonly software: string;
  /** Version of the layout of session records. */
  readonly layout: number;
  /** Sessions that fit. */
  readonly capacity: number;
  /** Bits of optional features. */
  readonly features?: number;
}

export interface Identity {
  readonly software: string;
  readonly layout: number;
  readonly capacity: number;
  readonly features: number;
  readonly nodeName: string;
  /** Of its own for each box of a pair. */
  readonly nodeId: bigint;
  /** `scheme standby NAME`. */
  readonly group: string;
  readonly association: number;
  readonly updateMs: number;
  /** Of the interface with the group. */
  readonly address: Address;
  /** `key-string` of the association. */
  readonly keyString?: string;
  readonly config: Config;
}

const NODE_ID_SIZE = 8;
const SECOND_MS = 1000;

/**
 * The identity that a configuration gives its box; undefined where redundancy is not, or not completely, configured:
 * `scheme standby` with the name of a group that exists, and an association with both ends that is not shut down.
 */
export function identityOf(config: Config, surroundings: Surroundings): Identity | undefined {
  const standby = schemeGroup(config);
  const association = usedAssociation(config);
  if (standby === undefined || association === undefined) return undefined;
  const { id, shutdown, protocol, localPort, remotePort, localIps, remoteIps, keyString } = association;
  const [local] = localIps;
  const isComplete = protocol && localPort && remotePort && remoteIps.length > 0;
  if (shutdown || !isComplete || local === undefined) return undefined;
  const nodeName = config.hostname ?? "";
  return {
    ...surroundings,
    features: surroundings.features ?? 0,
    nodeName,
    nodeId: nodeIdOf([nodeName, ...localIps.map(({ address }) => `${address}`)]),
    group: config.redundancy!.scheme!.name,
    association: id,
    updateMs: updateMsOf(config),
    address: standby.interface.addresses[0]?.address ?? local.address,
    ...(keyString !== undefined && { keyString: keyString.value }),
    config,
  };
}

function nodeIdOf(words: readonly string[]): bigint {
  return bytesToBigint(sha256(new TextEncoder().encode(words.join(" "))).subarray(0, NODE_ID_SIZE));
}

/** `ip inspect redundancy update`: the interval of updates of sessions at the standby. */
export function updateMsOf({ inspect: { updateMsec, updateSeconds } }: Config): number {
  return updateMsec?.value ?? (updateSeconds?.value ?? DEFAULTS.updateSeconds) * SECOND_MS;
}

/** Hello and hold time of the HSRP group that a configuration follows, in ms. */
export function groupTimersOf(config: Config): { helloMs: number; holdMs: number } {
  const standby = schemeGroup(config);
  if (standby === undefined) return { helloMs: DEFAULTS.standbyHelloMs, holdMs: DEFAULTS.standbyHoldMs };
  return { helloMs: helloMs(standby.group), holdMs: holdMs(standby.group) };
}
