/** Addresses and routes of the model: what is the firewall's own, and which interface leads where. */
import type { Config, Direction, Interface } from "../../src/config/model.js";
import { type Address, inPrefix, ipv4Mask, parseCidr } from "../../src/ip.js";
import type { Interfaces } from "./interfaces.js";
import type { Family } from "./packet.js";

interface ModelRoute {
  network: Address;
  prefixLength: number;
  /** Undefined: discarded. */
  interface: string | undefined;
  isDefault: boolean;
}

/** The longest prefix that has a broadcast and a network address [3021]. */
const SUBNET_PREFIX_MAX = 30;
const NEXT_HOP_DEPTH = 8;

export class Routes {
  private readonly config: Config;
  private readonly interfaces: Interfaces;
  private readonly own = new Set<Address>();
  private readonly broadcasts = new Set<Address>();
  /** Own link-local addresses, and the interface of each. */
  private readonly linkLocals = new Map<Address, string>();
  /** Longest prefix first. */
  private readonly routes: ModelRoute[];
  private readonly pair: readonly string[];

  /**
   * @param inside networks of the inside: routing by side instead of routes.
   * @param pair the two interfaces in use, if there are but two.
   */
  constructor(config: Config, interfaces: Interfaces, inside: string[] | undefined, pair: readonly string[]) {
    this.config = config;
    this.interfaces = interfaces;
    this.pair = pair;
    this.readAddresses();
    this.routes = inside === undefined ? this.readRoutes() : this.readSides(inside);
    this.routes.sort((a, b) => b.prefixLength - a.prefixLength);
  }

  isOwn(address: Address): boolean {
    return this.own.has(address);
  }

  /** Network or broadcast address of a connected subnet. */
  isSubnetBroadcast(address: Address): boolean {
    return this.broadcasts.has(address);
  }

  /** The interface that leads to an address. */
  interfaceTo(address: Address): string | undefined {
    return this.linkLocals.get(address) ?? this.routeTo(address)?.interface;
  }

  /** The interface by which a packet leaves; none when it is for the firewall, or a broadcast. */
  egressTo(destination: Address, ingress: string): string | undefined {
    if (this.isOwn(destination) || this.isSubnetBroadcast(destination)) return undefined;
    const egress = this.pair.includes(ingress)
      ? this.pair.find((name) => name !== ingress)
      : this.interfaceTo(destination);
    return egress !== undefined && this.interfaces.isUp(egress) ? egress : undefined;
  }

  /** Whether unicast reverse path forwarding on `ingress` admits a source. */
  isReversePath(ingress: string, family: Family, source: Address): boolean {
    const checks = this.config.interfaces.get(ingress)?.verifySource ?? [];
    const check = checks.find((each) => each.family === family);
    if (check === undefined) return true;
    const route = this.routeTo(source);
    if (route?.interface === undefined || (route.isDefault && !check.allowDefault)) return false;
    return check.via === "any" || route.interface === ingress;
  }

  private routeTo(address: Address): ModelRoute | undefined {
    return this.routes.find(({ network, prefixLength }) => inPrefix(address, network, prefixLength));
  }

  private readAddresses(): void {
    for (const each of this.config.interfaces.values()) {
      if (!this.interfaces.isUp(each.name)) continue;
      for (const { address, prefixLength } of each.addresses) {
        this.own.add(address);
        if (prefixLength > SUBNET_PREFIX_MAX) continue;
        const network = (address & ipv4Mask(prefixLength)) >>> 0;
        this.broadcasts.add(network);
        this.broadcasts.add((network | ~ipv4Mask(prefixLength)) >>> 0);
      }
      this.readLinkLocals(each);
      for (const { address, linkLocal } of each.addresses6) if (!linkLocal) this.own.add(address);
      if (each.addresses.length + each.addresses6.length === 0) continue;
      for (const { ip, secondaryIps } of each.standby.groups.values()) {
        if (typeof ip?.address === "number") this.own.add(ip.address);
        for (const { address } of secondaryIps) this.own.add(address);
      }
    }
  }

  /** Those that are configured; the model's interfaces derive none from their MAC addresses. */
  private readLinkLocals({ name, addresses6 }: Interface): void {
    for (const { address, linkLocal } of addresses6) {
      if (!linkLocal) continue;
      this.own.add(address);
      if (!this.linkLocals.has(address)) this.linkLocals.set(address, name);
    }
  }

  private readRoutes(): ModelRoute[] {
    const connected: ModelRoute[] = [];
    for (const each of this.config.interfaces.values()) {
      if (!this.interfaces.isUp(each.name)) continue;
      const addresses = [...each.addresses, ...each.addresses6.filter(({ linkLocal }) => !linkLocal)];
      for (const { address, prefixLength } of addresses) {
        connected.push({ network: address, prefixLength, interface: each.name, isDefault: false });
      }
    }
    const sameNetwork = (a: ModelRoute, b: ModelRoute) =>
      a.prefixLength === b.prefixLength && inPrefix(a.network, b.network, b.prefixLength);
    const routes = [...connected];
    const statics = [...this.config.routes].sort((a, b) => (a.distance ?? 1) - (b.distance ?? 1));
    // A next hop may itself be reached by a static route: what resolves in one round helps in the next.
    for (let round = 0; round < NEXT_HOP_DEPTH; round++) {
      for (const { network, prefixLength, nextHop, interface: name } of statics) {
        const isDefault = prefixLength === 0;
        const discarded = name?.startsWith("Null") === true;
        if (name !== undefined && !discarded && !this.interfaces.isUp(name)) continue;
        const out = name ?? (nextHop === undefined ? undefined : this.nextHopInterface(nextHop, routes));
        if (out === undefined) continue;
        const route = { network, prefixLength, interface: discarded ? undefined : out, isDefault };
        if (!routes.some((other) => sameNetwork(other, route))) routes.push(route);
      }
    }
    return routes;
  }

  private nextHopInterface(nextHop: Address, routes: ModelRoute[]): string | undefined {
    const leading = routes.filter((route) => inPrefix(nextHop, route.network, route.prefixLength));
    leading.sort((a, b) => b.prefixLength - a.prefixLength);
    return leading.find((route) => !route.isDefault)?.interface;
  }

  /** `--inside`: the networks named lie on the side where sessions start, the rest of the world on the other. */
  private readSides(inside: string[]): ModelRoute[] {
    const usable = [...this.config.interfaces.values()].filter(
      (each) => this.interfaces.isUp(each.name) && each.addresses.length + each.addresses6.length > 0,
    );
    const bound = (direction: Direction) =>
      usable.find((each) => each.inspect.some((binding) => binding.direction === direction));
    const outward = bound("out");
    const insideInterface = bound("in") ?? usable.find((each) => each !== outward);
    const outsideInterface =
      (outward !== insideInterface ? outward : undefined) ?? usable.find((each) => each !== insideInterface);
    const routes: ModelRoute[] = inside.map((cidr) => {
      const { network, prefixLength } = parseCidr(cidr)!;
      return { network, prefixLength, interface: insideInterface?.name, isDefault: false };
    });
    for (const network of [0, 0n]) {
      routes.push({ network, prefixLength: 0, interface: outsideInterface?.name, isDefault: false });
    }
    return routes;
  }
}
