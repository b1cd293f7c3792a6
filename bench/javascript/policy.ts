/** Interfaces, routes and inspection in plain JavaScript, read once from the policy in the memory of the core. */
import * as L from "../../assembly/layout.js";

export interface Route {
  readonly network: readonly number[];
  readonly mask: readonly number[];
  readonly interface: number;
  readonly local: boolean;
  readonly broadcast: boolean;
}

/** A line of an inspection rule. */
export interface Entry {
  readonly protocol: number;
  readonly portLow: number;
  readonly portHigh: number;
  readonly timer: number;
  readonly service: number;
}

export class Routes {
  readonly #view: DataView;
  /** IF_* by interface number. */
  readonly #flags: number[] = [];
  readonly #routes4: Route[];
  readonly #routes6: Route[];
  /** By interface number. */
  readonly #in4: Entry[][] = [];
  readonly #out4: Entry[][] = [];
  readonly #in6: Entry[][] = [];
  readonly #out6: Entry[][] = [];

  constructor(view: DataView, image: number) {
    this.#view = view;
    const word = (field: number): number => view.getUint32(image + field, true);
    this.#routes4 = Array.from({ length: word(L.P_ROUTE4_COUNT) }, (_, i) =>
      route4(view, image + word(L.P_ROUTES4) + i * L.ROUTE4_SIZE),
    );
    this.#routes6 = Array.from({ length: word(L.P_ROUTE6_COUNT) }, (_, i) =>
      route6(view, image + word(L.P_ROUTES6) + i * L.ROUTE6_SIZE),
    );
    for (let number = 0; number < word(L.P_INTERFACE_COUNT); number++) {
      const at = image + word(L.P_INTERFACES) + number * L.INTERFACE_SIZE;
      this.#flags.push(view.getUint8(at + L.I_FLAGS));
      this.#in4.push(entriesOf(view, image, view.getUint8(at + L.I_INSPECT_IN4)));
      this.#out4.push(entriesOf(view, image, view.getUint8(at + L.I_INSPECT_OUT4)));
      this.#in6.push(entriesOf(view, image, view.getUint8(at + L.I_INSPECT_IN6)));
      this.#out6.push(entriesOf(view, image, view.getUint8(at + L.I_INSPECT_OUT6)));
    }
  }

  isUp(number: number): boolean {
    return number < this.#flags.length && (this.#flags[number]! & L.IF_UP) !== 0;
  }

  takes(number: number, v6: boolean): boolean {
    return (this.#flags[number]! & (v6 ? L.IF_IP6 : L.IF_IP4)) !== 0;
  }

  /** The best route to the address at `at`; routes come with the longest prefix first. */
  find(v6: boolean, at: number): Route | undefined {
    const view = this.#view;
    if (!v6) {
      const address = view.getInt32(at);
      for (const route of this.#routes4) if ((address & route.mask[0]!) === route.network[0]) return route;
      return undefined;
    }
    for (const route of this.#routes6) {
      let i = 0;
      while (i < 4 && (view.getInt32(at + i * 4) & route.mask[i]!) === route.network[i]) i++;
      if (i === 4) return route;
    }
    return undefined;
  }

  /** The line of the inspection rules on the way that lists the packet. */
  entry(v6: boolean, ingress: number, egress: number, protocol: number, port: number): Entry | undefined {
    const inbound = (v6 ? this.#in6 : this.#in4)[ingress]!;
    const outbound = (v6 ? this.#out6 : this.#out4)[egress]!;
    return firstOf(inbound, protocol, port) ?? firstOf(outbound, protocol, port);
  }
}

function firstOf(entries: Entry[], protocol: number, port: number): Entry | undefined {
  for (const entry of entries) {
    if (entry.protocol === protocol && port >= entry.portLow && port <= entry.portHigh) return entry;
  }
  return undefined;
}

function route4(view: DataView, at: number): Route {
  return {
    network: [view.getInt32(at + L.ROUTE4_NETWORK, true)],
    mask: [view.getInt32(at + L.ROUTE4_MASK, true)],
    interface: view.getUint8(at + L.ROUTE4_INTERFACE),
    ...kindsOf(view.getUint8(at + L.ROUTE4_FLAGS)),
  };
}

function route6(view: DataView, at: number): Route {
  const words = (field: number): number[] => [0, 4, 8, 12].map((i) => view.getInt32(at + field + i));
  return {
    network: words(L.ROUTE6_NETWORK),
    mask: words(L.ROUTE6_MASK),
    interface: view.getUint8(at + L.ROUTE6_INTERFACE),
    ...kindsOf(view.getUint8(at + L.ROUTE6_FLAGS)),
  };
}

function kindsOf(flags: number): { local: boolean; broadcast: boolean } {
  return { local: (flags & L.RT_LOCAL) !== 0, broadcast: (flags & L.RT_BROADCAST) !== 0 };
}

function entriesOf(view: DataView, image: number, rule: number): Entry[] {
  if (rule === 0) return [];
  const at = image + view.getUint32(image + L.P_INSPECT, true) + rule * L.INSPECT_SIZE;
  const first = view.getUint32(at + L.IN_FIRST, true);
  return Array.from({ length: view.getUint32(at + L.IN_COUNT, true) }, (_, i) => {
    const entry = image + view.getUint32(image + L.P_INSPECT_ENTRIES, true) + (first + i) * L.ENTRY_SIZE;
    return {
      protocol: view.getUint8(entry + L.E_PROTOCOL),
      portLow: view.getUint16(entry + L.E_PORT_LOW, true),
      portHigh: view.getUint16(entry + L.E_PORT_HIGH, true),
      timer: view.getUint8(entry + L.E_TIMER),
      service: view.getUint16(entry + L.E_SERVICE, true),
    };
  });
}
