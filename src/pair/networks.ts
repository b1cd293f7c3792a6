/** The networks of a pair: which one the sessions are copied over, and which one a packet of a capture comes from. */
import { isOutside, standbyGroups, usedAssociation } from "../check/topology.js";
import type { Config } from "../config/model.js";
import type { Dataplane } from "../dataplane.js";
import { ETHERTYPE_IPV4, ETHERTYPE_IPV6, type Mac } from "../frame.js";
import { type Address, bytesToBigint } from "../ip.js";
import { BOX_NAMES, type BoxName } from "./boxes.js";

/** Networks by what they are to the pair. */
export interface PairNetworks {
  /** The two that have an HSRP group. */
  readonly inside: string;
  readonly outside: string;
  /** Those with own addresses of the association. */
  readonly sync: readonly string[];
}

export function networksOf(config: Config): PairNetworks {
  const interfaces = standbyGroups(config).map((standby) => standby.interface);
  const outside = interfaces.find((each) => isOutside(config, each));
  const inside = interfaces.find((each) => each !== outside);
  return { inside: inside?.name ?? "", outside: outside?.name ?? "", sync: syncNetworksOf(config) };
}

function syncNetworksOf(config: Config): string[] {
  const local = new Set((usedAssociation(config)?.localIps ?? []).map(({ address }) => address));
  return [...config.interfaces.values()]
    .filter(({ addresses }) => addresses.some(({ address }) => local.has(address)))
    .map(({ name }) => name);
}

/** Locally administered MAC addresses for the interfaces of a box, in the order of its configuration. */
export function macsOf(box: BoxName, { interfaces }: Config): Map<string, Mac> {
  const macOf = (index: number): Mac =>
    `0200.000${BOX_NAMES.indexOf(box) + 1}.${index.toString(16).padStart(4, "0")}`;
  return new Map([...interfaces.keys()].map((name, index) => [name, macOf(index)]));
}

/** Whether the standby is told of sessions at all: some inspection is bound with `redundancy stateful`. */
export function isStateful(config: Config): boolean {
  return [...config.interfaces.values()].some(({ inspect }) =>
    inspect.some(({ stateful }) => stateful !== undefined),
  );
}

/**
 * The network that a packet comes from: by its source address, as a host behind it would send. The frame is an Ethernet
 * frame (`ethertype` 0), or the payload of that type.
 */
export function networkOf(
  dataplane: Dataplane,
  { inside, outside }: PairNetworks,
  frame: Uint8Array,
  ethertype: number,
): string {
  const source = sourceOf(frame, ethertype);
  if (source === undefined) return inside;
  const number = dataplane.interfaceToward(source);
  return number === 0 ? outside : dataplane.interfaces[number]!;
}

const ETHERTYPE_AT = 12;
const ETHERNET_HEADER = 14;

/** Source address of an IP packet. */
function sourceOf(frame: Uint8Array, ethertype: number): Address | undefined {
  const isEthernet = ethertype === 0;
  if (isEthernet && frame.length < ETHERNET_HEADER) return undefined;
  const type = isEthernet ? (frame[ETHERTYPE_AT]! << 8) | frame[ETHERTYPE_AT + 1]! : ethertype;
  const at = isEthernet ? ETHERNET_HEADER : 0;
  if (type === ETHERTYPE_IPV4 && frame.length >= at + 20)
    return new DataView(frame.buffer, frame.byteOffset).getUint32(at + 12);
  return type === ETHERTYPE_IPV6 && frame.length >= at + 40
    ? bytesToBigint(frame.subarray(at + 8, at + 24))
    : undefined;
}
