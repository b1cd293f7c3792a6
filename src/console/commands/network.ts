/** Access lists, interfaces, routes and neighbours. */
import type { Family } from "../../config/model.js";
import type { NeighborView, RouteView } from "../backend.js";
import { act, type ExecRow, show, type Workplace } from "../command.js";
import { addressesAsText } from "../json.js";
import { interfaceBrief, interfacesText } from "../show/interfaces.js";
import { listsText, listViews } from "../show/lists.js";
import { arpText, familyOf, neighborsText, routesText } from "../show/routes.js";

async function lists({ backend }: Workplace, families: readonly Family[], name: string | undefined) {
  const views = listViews(await backend.config(), await backend.rules(), {
    families,
    ...(name !== undefined && { name }),
  });
  return views.length === 0 && name !== undefined ? { problem: `no access list ${name}` } : views;
}

async function interfaces({ backend }: Workplace, name: string | undefined) {
  const all = await backend.interfaces();
  const views = name === undefined ? all : all.filter((each) => each.name === name);
  return views.length === 0 && name !== undefined
    ? { problem: `no interface ${name}` }
    : { views, config: await backend.config() };
}

const ofFamily =
  (family: Family) =>
  <T extends RouteView | NeighborView>(each: T): boolean =>
    familyOf("network" in each ? each.network : each.address) === family;

const routeData = (routes: readonly RouteView[]) => addressesAsText(routes, ["network", "nextHop"]);
const neighborData = (neighbors: readonly NeighborView[]) => addressesAsText(neighbors, ["address"]);

export const NETWORK: readonly ExecRow[] = [
  show({
    syntax: "show access-lists [<name:word>]",
    help: "access lists with their matches",
    example: "show access-lists INSIDE-IN",
    isForAll: true,
    view: ({ name }, place) => lists(place, [4, 6], name),
    text: listsText,
  }),
  show({
    syntax: "show ip access-lists [<name:word>]",
    help: "IPv4 access lists with their matches",
    example: "show ip access-lists",
    isForAll: true,
    view: ({ name }, place) => lists(place, [4], name),
    text: listsText,
  }),
  show({
    syntax: "show ipv6 access-list [<name:word>]",
    help: "IPv6 access lists with their matches",
    example: "show ipv6 access-list",
    isForAll: true,
    view: ({ name }, place) => lists(place, [6], name),
    text: listsText,
  }),
  show({
    syntax: "show interfaces [<name:interface>]",
    help: "interfaces, their devices and counters",
    example: "show interfaces GigabitEthernet0/0",
    isForAll: true,
    view: ({ name }, place) => interfaces(place, name),
    text: ({ views, config }) => interfacesText(views, config),
    data: ({ views }) => views,
  }),
  show({
    syntax: "show ip interface brief",
    help: "one line for each interface",
    example: "show ip interface brief",
    isForAll: true,
    view: (_, place) => interfaces(place, undefined),
    text: ({ views, config }) => interfaceBrief(views, config),
    data: ({ views }) => views,
  }),
  show({
    syntax: "show ip route",
    help: "IPv4 routes",
    example: "show ip route",
    isForAll: true,
    view: async (_, { backend }) => (await backend.routes()).filter(ofFamily(4)),
    text: (routes) => routesText(routes, 4),
    data: routeData,
  }),
  show({
    syntax: "show ipv6 route",
    help: "IPv6 routes",
    example: "show ipv6 route",
    isForAll: true,
    view: async (_, { backend }) => (await backend.routes()).filter(ofFamily(6)),
    text: (routes) => routesText(routes, 6),
    data: routeData,
  }),
  show({
    syntax: "show [ip] arp",
    help: "IPv4 neighbours and own addresses",
    example: "show arp",
    isForAll: true,
    view: async (_, { backend }) => (await backend.neighbors()).filter(ofFamily(4)),
    text: arpText,
    data: neighborData,
  }),
  show({
    syntax: "show ipv6 neighbors",
    help: "IPv6 neighbours",
    example: "show ipv6 neighbors",
    isForAll: true,
    view: async (_, { backend }) => (await backend.neighbors()).filter(ofFamily(6)),
    text: neighborsText,
    data: neighborData,
  }),
  act({
    syntax: "clear access-list counters [<name:word>]",
    help: "set the matches of access lists to zero",
    example: "clear access-list counters",
    run: ({ name }, { backend }) => backend.clear("access-lists", name),
  }),
  act({
    syntax: "clear counters [<name:interface>]",
    help: "set the counters of interfaces to zero",
    example: "clear counters",
    run: ({ name }, { backend }) => backend.clear("counters", name),
  }),
  act({
    syntax: "clear (arp-cache | arp | ip arp)",
    help: "forget the IPv4 neighbours",
    example: "clear arp-cache",
    run: (_, { backend }) => backend.clear("arp"),
  }),
  act({
    syntax: "clear ipv6 neighbors",
    help: "forget the IPv6 neighbours",
    example: "clear ipv6 neighbors",
    run: (_, { backend }) => backend.clear("neighbors"),
  }),
];
