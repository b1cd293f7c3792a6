/** `interface` and the commands in it that are not HSRP's. */
import { formatAddress, formatIpv4 } from "../../ip.js";
import { formatMask } from "../arguments.js";
import { command, commandWith, fail, type Row } from "../command.js";
import type {
  AccessGroup,
  Family,
  InspectBinding,
  Interface,
  UnicastRpf,
  VirtualReassembly,
} from "../model.js";
import { BFD } from "./bfd.js";
import { IP_NOTES, IPV6_NOTES, PORT_NOTES, REFUSED, rejected } from "./interface-notes.js";

/** Most addresses of one family on an interface. */
export const ADDRESSES_MAX = 256;
const tooMany = (argument: string) => fail(`an interface has at most ${ADDRESSES_MAX} addresses`, argument);

/** `interface NAME` opens an interface, new or known. */
const BLOCK: readonly Row[] = [
  command({
    mode: "global",
    syntax: "interface <name:interface>",
    help: "an interface",
    example: "interface GigabitEthernet0/0",
    enters: "interface",
    set: (config, a, { at }) => {
      const known = config.interfaces.get(a.name);
      if (known) return known;
      const made: Interface = {
        at,
        name: a.name,
        shutdown: false,
        addresses: [],
        addresses6: [],
        accessGroups: [],
        inspect: [],
        verifySource: [],
        standby: { groups: new Map() },
      };
      config.interfaces.set(a.name, made);
      return made;
    },
    remove: (config, a) => {
      config.interfaces.delete(a.name);
    },
    blocks: (config) => config.interfaces.values(),
    header: ({ name }) => `interface ${name}`,
  }),
];

/** A word that is kept as it was said. */
const wordRow = (key: "duplex" | "speed" | "mediaType", syntax: string, help: string, example: string): Row =>
  commandWith<{ value: string }>()({
    mode: "interface",
    syntax,
    help,
    example,
    set: (scope, a) => {
      scope[key] = a.value;
    },
    unset: (scope) => {
      scope[key] = undefined;
    },
    show: (scope) => (scope[key] === undefined ? [] : [`${syntax.split(" ")[0]} ${scope[key]}`]),
  });

/** Puts `made` in the place of the first element that `same` holds for, or at the end. */
function replace<T>(list: T[], made: T, same: (other: T) => boolean): undefined {
  const known = list.findIndex(same);
  if (known < 0) list.push(made);
  else list[known] = made;
}

/** The same for what is written family by family, so that the list has that order too. */
function replaceInFamily<T extends { family: Family }>(
  list: T[],
  made: T,
  same: (other: T) => boolean,
): undefined {
  replace(list, made, same);
  list.sort((a, b) => a.family - b.family);
}

function accessGroupRow(family: Family): Row {
  const head = family === 4 ? "ip access-group" : "ipv6 traffic-filter";
  const same = (a: Partial<AccessGroup>) => (other: AccessGroup) =>
    other.family === family && (a.direction === undefined || other.direction === a.direction);
  return commandWith<{ list: string; direction: "in" | "out" }>()({
    mode: "interface",
    syntax: `${head} <list:word> <direction=in|out>`,
    help: "access list for packets that come in or go out here",
    example: `${head} fw-ha-acl in`,
    set: (scope, a, { at }) => {
      replaceInFamily(scope.accessGroups, { at, family, list: a.list, direction: a.direction }, same(a));
    },
    remove: (scope, a) => {
      scope.accessGroups = scope.accessGroups.filter((group) => !same(a)(group));
    },
    show: (scope) =>
      scope.accessGroups
        .filter((group) => group.family === family)
        .map(({ list, direction }) => `${head} ${list} ${direction}`),
  });
}

function verifyRows(family: Family, prefix: "ip" | "ipv6"): Row[] {
  const head = `${prefix} verify unicast`;
  const place = (scope: Interface, made: UnicastRpf) =>
    replaceInFamily(scope.verifySource, made, (other) => other.family === family);
  const remove = (scope: Interface): undefined => {
    scope.verifySource = scope.verifySource.filter((other) => other.family !== family);
  };
  const rows = [
    commandWith<{ via: "rx" | "any"; "allow-default"?: true }>()({
      mode: "interface",
      syntax: `${head} source reachable-via <via=rx|any> [<allow-default>]`,
      help: "drop packets whose source has no route back (here, or anywhere)",
      example: `${head} source reachable-via rx allow-default`,
      set: (scope, a, { at }) =>
        place(scope, { at, family, via: a.via, allowDefault: a["allow-default"] ?? false }),
      unset: remove,
      show: (scope) =>
        scope.verifySource
          .filter((other) => other.family === family)
          .map((rpf) => `${head} source reachable-via ${rpf.via}${rpf.allowDefault ? " allow-default" : ""}`),
    }),
  ];
  const oldForm = commandWith<unknown>()({
    mode: "interface",
    syntax: `${head} reverse-path`,
    help: "old form of `source reachable-via rx`",
    example: `${head} reverse-path`,
    shown: `${head} source reachable-via rx`,
    set: (scope, _a, { at }) => place(scope, { at, family, via: "rx", allowDefault: false }),
    unset: remove,
  });
  return [...rows, oldForm];
}

function inspectRow(family: Family, prefix: "ip" | "ipv6"): Row {
  const same = (direction: string) => (other: InspectBinding) =>
    other.family === family && other.direction === direction;
  return commandWith<{ rule: string; direction: "in" | "out"; stateful?: string }>()({
    mode: "interface",
    syntax: `${prefix} inspect <rule:word> <direction=in|out> [redundancy stateful <stateful:word>]`,
    help: "inspection rule for packets that come in or go out here",
    example: `${prefix} inspect ha-protocols out redundancy stateful HAin`,
    set: (scope, a, { at }) => {
      const stateful = a.stateful === undefined ? {} : { stateful: a.stateful };
      const made = { at, family, rule: a.rule, direction: a.direction, ...stateful };
      replaceInFamily(scope.inspect, made, same(a.direction));
    },
    remove: (scope, a) => {
      scope.inspect = scope.inspect.filter((other) => !same(a.direction)(other));
    },
    show: (scope) =>
      scope.inspect
        .filter((other) => other.family === family)
        .map(({ rule, direction, stateful }) => {
          const redundancy = stateful === undefined ? "" : ` redundancy stateful ${stateful}`;
          return `${prefix} inspect ${rule} ${direction}${redundancy}`;
        }),
  });
}

interface ReassemblyArguments {
  reassemblies?: number;
  fragments?: number;
  timeout?: number;
  "drop-fragments"?: true;
}

/** Whether packets that are dropped are told of to their senders. */
function unreachablesRow(
  field: "noUnreachables" | "noUnreachables6",
  word: "ip" | "ipv6",
  what: string,
): Row {
  return command({
    mode: "interface",
    syntax: `${word} unreachables`,
    help: `${what} unreachables for dropped packets`,
    example: `no ${word} unreachables`,
    set: (scope) => {
      scope[field] = undefined;
    },
    unset: (scope) => {
      scope[field] = true;
    },
    reset: (scope) => {
      scope[field] = undefined;
    },
    show: (scope) => (scope[field] ? [`no ${word} unreachables`] : []),
  });
}

function reassemblyRow(key: "virtualReassembly" | "virtualReassembly6", prefix: "ip" | "ipv6"): Row {
  return commandWith<ReassemblyArguments>()({
    mode: "interface",
    syntax: `${prefix} virtual-reassembly { max-reassemblies <reassemblies:1-1024> | max-fragments <fragments:1-1024> | timeout <timeout:1-60> | <drop-fragments> }`,
    help: "bounds of the fragment table",
    example: `${prefix} virtual-reassembly max-reassemblies 64 max-fragments 16 timeout 5 drop-fragments`,
    set: (scope, a, { at }) => {
      const made: VirtualReassembly = { at, dropFragments: a["drop-fragments"] ?? false };
      if (a.reassemblies !== undefined) made.maxReassemblies = a.reassemblies;
      if (a.fragments !== undefined) made.maxFragments = a.fragments;
      if (a.timeout !== undefined) made.timeoutSeconds = a.timeout;
      scope[key] = made;
    },
    unset: (scope) => {
      scope[key] = undefined;
    },
    show: (scope) => {
      const reassembly = scope[key];
      if (!reassembly) return [];
      const words = [`${prefix} virtual-reassembly`];
      const { maxReassemblies, maxFragments, timeoutSeconds } = reassembly;
      if (maxReassemblies !== undefined) words.push(`max-reassemblies ${maxReassemblies}`);
      if (maxFragments !== undefined) words.push(`max-fragments ${maxFragments}`);
      if (timeoutSeconds !== undefined) words.push(`timeout ${timeoutSeconds}`);
      if (reassembly.dropFragments) words.push("drop-fragments");
      return [words.join(" ")];
    },
  });
}

/** Layer 2, names and IPv4 addresses. */
const ADDRESSES: readonly Row[] = [
  command({
    mode: "interface",
    syntax: "description <text:description>",
    help: "a text for people",
    example: "description uplink to the provider",
    set: (scope, a) => {
      scope.description = a.text;
    },
    unset: (scope) => {
      scope.description = undefined;
    },
    show: (scope) => (scope.description === undefined ? [] : [`description ${scope.description}`]),
  }),
  command({
    mode: "interface",
    syntax: "encapsulation dot1Q <vlan:1-4094> [<native>]",
    help: "VLAN of a subinterface",
    example: "encapsulation dot1Q 10 native",
    set: (scope, a, { at }) => {
      scope.encapsulation = { at, vlan: a.vlan, native: a.native ?? false };
    },
    unset: (scope) => {
      scope.encapsulation = undefined;
    },
    show: ({ encapsulation }) =>
      encapsulation
        ? [`encapsulation dot1Q ${encapsulation.vlan}${encapsulation.native ? " native" : ""}`]
        : [],
  }),
  rejected(
    "ip address (dhcp | negotiated) [<text:line>]",
    "ip address dhcp",
    "learned address",
    "the addresses of a firewall must be in its configuration",
  ),
  rejected(
    "ip unnumbered <interface:interface>",
    "ip unnumbered Loopback0",
    "address of another interface",
    "each interface needs an address of its own",
  ),
  command({
    mode: "interface",
    syntax: "ip address <address:ipv4> <prefixLength:mask> [<secondary>]",
    help: "address and mask of the interface",
    example: "ip address 10.0.0.1 255.255.255.0",
    set: (scope, a, { at }) => {
      const secondary = a.secondary ?? false;
      const made = { at, address: a.address, prefixLength: a.prefixLength, secondary };
      if (scope.addresses.length >= ADDRESSES_MAX) return tooMany("address");
      scope.noAddress = undefined;
      scope.addresses = scope.addresses.filter((old) =>
        secondary ? !old.secondary || old.address !== a.address : old.secondary && old.address !== a.address,
      );
      if (secondary) scope.addresses.push(made);
      else scope.addresses.unshift(made);
      return undefined;
    },
    unset: (scope, a) => {
      scope.addresses =
        a.address === undefined ? [] : scope.addresses.filter((old) => old.address !== a.address);
      if (a.address === undefined) scope.noAddress = true;
    },
    reset: (scope) => {
      scope.addresses = [];
      scope.noAddress = undefined;
    },
    show: ({ addresses, noAddress }) => {
      if (noAddress) return ["no ip address"];
      const inOrder = [
        ...addresses.filter((one) => one.secondary),
        ...addresses.filter((one) => !one.secondary),
      ];
      return inOrder.map(({ address, prefixLength, secondary }) => {
        return `ip address ${formatIpv4(address)} ${formatMask(prefixLength)}${secondary ? " secondary" : ""}`;
      });
    },
  }),
  accessGroupRow(4),
  ...verifyRows(4, "ip"),
  unreachablesRow("noUnreachables", "ip", "ICMP"),
  inspectRow(4, "ip"),
  reassemblyRow("virtualReassembly", "ip"),
];

/** State of the port, and what its hardware does. */
const PORT: readonly Row[] = [
  command({
    mode: "interface",
    syntax: "shutdown",
    help: "take the interface down",
    example: "shutdown",
    set: (scope) => {
      scope.shutdown = true;
    },
    unset: (scope) => {
      scope.shutdown = false;
    },
    show: (scope) => (scope.shutdown ? ["shutdown"] : []),
  }),
  wordRow("duplex", "duplex <value=full|half|auto>", "duplex of the port", "duplex full"),
  wordRow("speed", "speed <value=10|100|1000|auto>", "speed of the port", "speed 100"),
  wordRow(
    "mediaType",
    "media-type <value=rj45|sfp|gbic|auto-select>",
    "connector of the port",
    "media-type rj45",
  ),
];

interface Address6Arguments {
  address?: bigint;
  prefix?: { address: bigint; prefixLength: number };
  "eui-64"?: true;
}

const ADDRESSES6: readonly Row[] = [
  rejected(
    "ipv6 address (autoconfig | dhcp) [<text:line>]",
    "ipv6 address autoconfig",
    "learned address",
    "the addresses of a firewall must be in its configuration",
  ),
  commandWith<Address6Arguments>()({
    mode: "interface",
    syntax: "ipv6 address (<address:ipv6> link-local | <prefix:prefix6> [<eui-64>])",
    help: "IPv6 address of the interface",
    example: "ipv6 address 2001:db8::1/64",
    set: (scope, a, { at }) => {
      const made = {
        at,
        address: a.address ?? a.prefix!.address,
        prefixLength: a.prefix?.prefixLength ?? 64,
        linkLocal: a.address !== undefined,
        eui64: a["eui-64"] ?? false,
      };
      if (scope.addresses6.length >= ADDRESSES_MAX) return tooMany(a.prefix ? "prefix" : "address");
      // There is one link-local address; a second replaces it.
      return replace(
        scope.addresses6,
        made,
        (old) => old.address === made.address || (old.linkLocal && made.linkLocal),
      );
    },
    unset: (scope, a) => {
      const address = a.address ?? a.prefix?.address;
      scope.addresses6 = scope.addresses6.filter((old) => address !== undefined && old.address !== address);
    },
    show: ({ addresses6 }) =>
      addresses6.map(({ address, prefixLength, linkLocal, eui64 }) => {
        const text = formatAddress(address);
        if (linkLocal) return `ipv6 address ${text} link-local`;
        return `ipv6 address ${text}/${prefixLength}${eui64 ? " eui-64" : ""}`;
      }),
  }),
  command({
    mode: "interface",
    syntax: "ipv6 enable",
    help: "IPv6 with a link-local address only",
    example: "ipv6 enable",
    set: (scope) => {
      scope.ipv6Enable = true;
    },
    unset: (scope) => {
      scope.ipv6Enable = undefined;
    },
    show: (scope) => (scope.ipv6Enable ? ["ipv6 enable"] : []),
  }),
  accessGroupRow(6),
  ...verifyRows(6, "ipv6"),
  unreachablesRow("noUnreachables6", "ipv6", "ICMPv6"),
  inspectRow(6, "ipv6"),
  reassemblyRow("virtualReassembly6", "ipv6"),
];

export const INTERFACE: readonly Row[] = [
  ...BLOCK,
  ...ADDRESSES,
  ...IP_NOTES,
  ...REFUSED,
  ...PORT,
  ...PORT_NOTES,
  ...ADDRESSES6,
  ...IPV6_NOTES,
  ...BFD,
];
