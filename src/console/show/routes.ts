/** `show ip route`, `show arp`, `show bfd neighbors` and their IPv6 forms. */
import type { Family } from "../../config/model.js";
import { type Address, formatAddress } from "../../ip.js";
import type { BfdNeighborView, NeighborView, RouteView } from "../backend.js";
import { ago, row, shortName, text } from "./layout.js";

export const familyOf = (address: Address): Family => (typeof address === "number" ? 4 : 6);

const CODES: Readonly<Record<RouteView["origin"], string>> = { address: "L", connected: "C", static: "S" };

/** Administrative distance of a static route that states none. */
const STATIC_DISTANCE = 1;

export function routesText(routes: readonly RouteView[], family: Family): string {
  const wanted = routes
    .filter(({ network }) => familyOf(network) === family)
    .sort((a, b) =>
      a.network < b.network ? -1 : a.network > b.network ? 1 : a.prefixLength - b.prefixLength,
    );
  const gateway = wanted.find(({ prefixLength }) => prefixLength === 0);
  return text([
    "Codes: L - local, C - connected, S - static, * - candidate default",
    "",
    ...(family === 4
      ? [
          gateway?.nextHop === undefined
            ? "Gateway of last resort is not set"
            : `Gateway of last resort is ${formatAddress(gateway.nextHop)} to network 0.0.0.0`,
          "",
        ]
      : []),
    ...wanted.map(routeLine),
  ]);
}

function routeLine({ network, prefixLength, origin, interface: on, nextHop, distance }: RouteView): string {
  const code = `${CODES[origin]}${prefixLength === 0 ? "*" : ""}`.padEnd(6);
  const prefix = `${formatAddress(network)}/${prefixLength}`;
  if (origin !== "static") return `${code}${prefix} is directly connected, ${on}`;
  const via = nextHop === undefined ? "is directly connected" : `via ${formatAddress(nextHop)}`;
  return `${code}${prefix} [${distance ?? STATIC_DISTANCE}/0] ${via}${on === undefined ? ", Null0" : `, ${on}`}`;
}

const MINUTE_MS = 60_000;
const ARP = [9, 15, 10, 15, 6] as const;

/** Age in whole minutes; none for what does not age. */
const ageText = ({ ageMs }: NeighborView): string =>
  ageMs === undefined ? "-" : String(Math.floor(ageMs / MINUTE_MS));

export function arpText(neighbors: readonly NeighborView[]): string {
  return text([
    row(ARP, ["Protocol", "Address", "Age (min)", "Hardware Addr", "Type", "Interface"]),
    ...neighbors
      .filter(({ address }) => familyOf(address) === 4)
      .map((each) =>
        row(ARP, [
          "Internet",
          formatAddress(each.address),
          ageText(each).padStart(9),
          each.mac ?? "Incomplete",
          "ARPA",
          each.interface,
        ]),
      ),
  ]);
}

const ND = [39, 4, 15, 6] as const;
const ND_STATES: Readonly<Record<NeighborView["state"], string>> = {
  own: "OWN",
  virtual: "OWN",
  static: "STATIC",
  incomplete: "INCMP",
  reachable: "REACH",
  stale: "STALE",
  delay: "DELAY",
  probe: "PROBE",
};

export function neighborsText(neighbors: readonly NeighborView[]): string {
  return text([
    row(ND, ["IPv6 Address", "Age", "Link-layer Addr", "State", "Interface"]),
    ...neighbors
      .filter(({ address }) => familyOf(address) === 6)
      .map((each) =>
        row(ND, [
          formatAddress(each.address),
          ageText(each).padStart(3),
          each.mac ?? "-",
          ND_STATES[each.state],
          shortName(each.interface),
        ]),
      ),
  ]);
}

const BFD = [33, 13, 9, 9] as const;

export function bfdText(neighbors: readonly BfdNeighborView[], isDetailed: boolean): string {
  if (neighbors.length === 0) return "";
  return text([
    row(BFD, ["NeighAddr", "LD/RD", "RH/RS", "State", "Int"]),
    ...neighbors.flatMap((each) => [
      row(BFD, [
        formatAddress(each.remote),
        `${each.localDiscriminator}/${each.remoteDiscriminator}`,
        each.remoteState,
        each.state,
        shortName(each.interface),
      ]),
      ...(isDetailed ? bfdDetail(each) : []),
    ]),
  ]);
}

function bfdDetail(each: BfdNeighborView): string[] {
  const last = each.lastReceivedMs === undefined ? "never" : `${Math.round(each.lastReceivedMs)} ms ago`;
  return [
    `Session state is ${each.state.toUpperCase()} since ${ago(each.stateAgeMs)}, up ${each.upCount} times`,
    `OurAddr: ${formatAddress(each.local)}`,
    `Local Diag: ${each.diagnostic}`,
    `Transmit interval ${each.transmitMs} ms, detection time ${each.detectionMs} ms, multiplier ${each.multiplier}`,
    `Dampening: trusted when up for ${each.trustMs} ms`,
    `Rx Count: ${each.received}, last ${last}; Tx Count: ${each.sent}`,
    `Registered protocols: ${each.clients.join(" ") || "none"}`,
    "",
  ];
}
