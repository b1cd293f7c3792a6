/** What `show arp`, `show ipv6 neighbors`, `show ip route` and `show interfaces` tell: plain data. */
import * as L from "../../assembly/layout.js";
import type { Family } from "../config/model.js";
import { isLinkLocal } from "../hsrp/addresses.js";
import { type Address, familyOf } from "../ip.js";
import type { Mac } from "../mac.js";
import { addressBits } from "../policy/routes.js";
import type { Context, Link, Neighbor, OwnAddress } from "./context.js";
import type { Counters } from "./counters.js";
import { neighborsOf } from "./neighbors.js";
import type { Plan } from "./plan.js";

export interface NeighborView {
  readonly interface: string;
  readonly address: Address;
  readonly mac: Mac | undefined;
  /** `own`: an address of this router, virtual ones that it has now included. */
  readonly state: Neighbor["state"] | "own";
  /** Since it was last learned or confirmed; undefined: its own. */
  readonly ageSeconds: number | undefined;
}

export interface RouteView {
  /** Of IOS: connected, local, static. */
  readonly code: "C" | "L" | "S";
  /** `S*`. */
  readonly isDefault: boolean;
  readonly network: Address;
  readonly prefixLength: number;
  readonly nextHop: Address | undefined;
  /** Undefined: Null0. */
  readonly interface: string | undefined;
}

export interface InterfaceView {
  readonly name: string;
  readonly isUp: boolean;
  readonly mac: Mac | undefined;
  readonly mtu: number;
  readonly addresses: readonly {
    readonly address: Address;
    readonly prefixLength: number;
    readonly state: OwnAddress["state"];
  }[];
  readonly neighbors: number;
  readonly counters: Readonly<Counters>;
}

const MILLISECONDS = 1000;
const LINK_LOCAL_LENGTH = 64;

/** Own addresses first, then neighbours; sorted by address. */
export function neighborViews(context: Context, family: Family, nowMs: number): NeighborView[] {
  const views: NeighborView[] = [];
  for (const link of context.links.values()) {
    for (const address of link.own.keys()) {
      views.push({ ...ownView(link, address), mac: link.plan?.mac });
    }
    for (const { address, mac, state, updatedAtMs } of neighborsOf(link)) {
      const ageSeconds = Math.floor((nowMs - updatedAtMs) / MILLISECONDS);
      views.push({ interface: link.name, address, mac, state, ageSeconds });
    }
  }
  for (const { interface: name, addresses, mac } of context.owned.values()) {
    for (const address of addresses) {
      views.push({ interface: name, address, mac, state: "own", ageSeconds: undefined });
    }
  }
  return views.filter(({ address }) => familyOf(address) === family).sort(byAddress);
}

function ownView(link: Link, address: Address): Omit<NeighborView, "mac"> {
  return { interface: link.name, address, state: "own", ageSeconds: undefined };
}

function byAddress({ address: a }: NeighborView, { address: b }: NeighborView): number {
  return a < b ? -1 : Number(a > b);
}

/** In the order of their networks, shorter prefixes first. */
export function routeViews({ routes, names, interfaces }: Plan, family: Family): RouteView[] {
  const shown = routes.filter(
    ({ network, flags }) =>
      familyOf(network) === family && (flags & L.RT_BROADCAST) === 0 && !isLinkLocal(network),
  );
  return shown
    .map(({ network, prefixLength, flags, nextHop, interface: number }): RouteView => {
      const name = names[number];
      return {
        code: (flags & L.RT_LOCAL) !== 0 ? "L" : (flags & L.RT_CONNECTED) !== 0 ? "C" : "S",
        isDefault: (flags & L.RT_DEFAULT) !== 0,
        network,
        prefixLength,
        nextHop,
        interface: name !== undefined && interfaces.has(name) ? name : undefined,
      };
    })
    .sort(
      (a, b) =>
        (a.network < b.network ? -1 : Number(a.network > b.network)) || a.prefixLength - b.prefixLength,
    );
}

export function interfaceViews({ links }: Context): InterfaceView[] {
  const views: InterfaceView[] = [];
  for (const { name, plan, isUp, own, confirmed, unconfirmed, counters } of links.values()) {
    if (plan === undefined) continue;
    const subnets = [...plan.subnets, ...plan.subnets6];
    views.push({
      name,
      isUp,
      mac: plan.mac,
      mtu: plan.mtu,
      addresses: [...own].map(([address, { state }]) => ({
        address,
        prefixLength: isLinkLocal(address)
          ? LINK_LOCAL_LENGTH
          : (subnets.find((subnet) => subnet.address === address)?.prefixLength ?? addressBits(address)),
        state,
      })),
      neighbors: confirmed.size + unconfirmed.size,
      counters: { ...counters },
    });
  }
  return views;
}
