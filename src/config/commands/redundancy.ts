/**
 * `redundancy inter-device` and `ipc zone default`: stateful failover between two boxes. Ranges after Cisco's "Stateful
 * Inter-Device Failover"; the SCTP bounds are those of RFC 9260 as Cisco limits them. `key-string` and
 * `encapsulation` are ours.
 */
import { formatIpv4 } from "../../ip.js";
import { command, fail, note, refused, type Row } from "../command.js";
import type { IpcAssociation } from "../model.js";

const INTER_DEVICE: readonly Row[] = [
  command({
    mode: "global",
    syntax: "redundancy inter-device",
    help: "failover between two boxes",
    example: "redundancy inter-device",
    enters: "inter-device",
    set: (config, _a, { at }) => (config.redundancy ??= { at }),
    unset: (config) => {
      config.redundancy = undefined;
    },
    blocks: ({ redundancy }) => (redundancy ? [redundancy] : []),
    header: () => "redundancy inter-device",
  }),
  command({
    mode: "inter-device",
    syntax: "scheme standby <name:word>",
    help: "HSRP group whose state this box follows",
    example: "scheme standby HAin",
    set: (scope, a, { at }) => {
      scope.scheme = { at, name: a.name };
    },
    unset: (scope) => {
      scope.scheme = undefined;
    },
    show: ({ scheme }) => (scheme ? [`scheme standby ${scheme.name}`] : []),
  }),
  refused({
    mode: "inter-device",
    syntax: "security ipsec <profile:word>",
    help: "encryption between the boxes",
    example: "security ipsec SSO",
    refuse: "the link between the boxes is not encrypted with IPsec here",
  }),
  note({
    mode: "global",
    syntax: "redundancy",
    help: "redundancy inside one box",
    example: "redundancy",
    note: "there is one processor",
    enters: "opaque",
  }),
];

const addresses = (a: { first: number; second?: number }): number[] =>
  a.second === undefined || a.second === a.first ? [a.first] : [a.first, a.second];

type Side = "local" | "remote";

function sideRows(side: Side): Row[] {
  const port = side === "local" ? "localPort" : "remotePort";
  const ips = side === "local" ? "localIps" : "remoteIps";
  return [
    command({
      mode: "ipc-protocol",
      syntax: side === "local" ? "local-port <port:1-65535>" : "remote-port <port:1-65535>",
      help: `SCTP port of the ${side} end`,
      example: `${side}-port 5000`,
      enters: side === "local" ? "ipc-local" : "ipc-remote",
      set: (scope: IpcAssociation, a, { at }) => {
        scope[port] = { at, value: a.port };
        return scope;
      },
      unset: (scope) => {
        scope[port] = undefined;
      },
      show: (scope) => (scope[port] ? [`${side}-port ${scope[port].value}`] : []),
    }),
    command({
      mode: "ipc-protocol",
      syntax:
        side === "local" ? "local-ip <first:ipv4> [<second:ipv4>]" : "remote-ip <first:ipv4> [<second:ipv4>]",
      help: `addresses of the ${side} end`,
      example: `${side}-ip 10.0.0.1 10.1.0.1`,
      set: (scope, a, { at }) => {
        scope[ips] = addresses(a).map((address) => ({ at, address }));
      },
      unset: (scope) => {
        scope[ips] = [];
      },
      show: (scope) =>
        scope[ips].length === 0
          ? []
          : [`${side}-ip ${scope[ips].map(({ address }) => formatIpv4(address)).join(" ")}`],
    }),
  ];
}

function retransmitRow(key: "pathRetransmit" | "assocRetransmit", word: "path" | "assoc", help: string): Row {
  return command({
    mode: "ipc-protocol",
    syntax: word === "path" ? "path-retransmit <times:2-10>" : "assoc-retransmit <times:2-10>",
    help,
    example: `${word}-retransmit 10`,
    set: (scope, a, { at }) => {
      scope[key] = { at, value: a.times };
    },
    unset: (scope) => {
      scope[key] = undefined;
    },
    show: (scope) => (scope[key] ? [`${word}-retransmit ${scope[key].value}`] : []),
  });
}

/** Fewest characters of the shared key: whoever sees one frame can try keys. */
export const SHARED_KEY_MIN = 8;

/**
 * IOS nests `local-ip` and the retransmission bounds under `local-port`, and `remote-ip` under `remote-port`, or prints
 * all of them flat; as commands of the protocol they are understood either way.
 */
const IPC: readonly Row[] = [
  command({
    mode: "global",
    syntax: "ipc zone default",
    help: "the link between the two boxes",
    example: "ipc zone default",
    enters: "ipc-zone",
    set: (config, _a, { at }) => (config.ipc ??= { at, associations: new Map() }),
    unset: (config) => {
      config.ipc = undefined;
    },
    blocks: ({ ipc }) => (ipc ? [ipc] : []),
    header: () => "ipc zone default",
  }),
  command({
    mode: "ipc-zone",
    syntax: "association <id:1-255>",
    help: "an association between the boxes",
    example: "association 1",
    enters: "ipc-association",
    set: ({ associations }, a, { at }) => {
      const known = associations.get(a.id);
      if (known) return known;
      const made: IpcAssociation = { at, id: a.id, shutdown: false, localIps: [], remoteIps: [] };
      associations.set(a.id, made);
      return made;
    },
    remove: ({ associations }, a) => {
      associations.delete(a.id);
    },
    blocks: ({ associations }) => associations.values(),
    header: ({ id }) => `association ${id}`,
  }),
  command({
    mode: "ipc-association",
    syntax: "shutdown",
    help: "take the association down",
    example: "no shutdown",
    set: (scope) => {
      scope.shutdown = true;
    },
    unset: (scope) => {
      scope.shutdown = false;
    },
    show: ({ shutdown }) => [shutdown ? "shutdown" : "no shutdown"],
  }),
  command({
    mode: "ipc-association",
    syntax: "key-string [<kind:0-7>] <text:key-string>",
    help: "shared key that messages between the boxes are authenticated with",
    example: "key-string Pair-Key-of-2-boxes",
    set: (scope, a, { at }) => {
      if (a.kind !== undefined && a.kind !== 0) {
        return fail(`a key of type ${a.kind} cannot be read: give it in clear`, "kind");
      }
      if (a.text.length < SHARED_KEY_MIN) {
        return fail(`a key of fewer than ${SHARED_KEY_MIN} characters is soon guessed`, "text");
      }
      scope.keyString = { at, value: a.text };
      return undefined;
    },
    unset: (scope) => {
      scope.keyString = undefined;
    },
    show: ({ keyString }) => (keyString ? [`key-string ${keyString.value}`] : []),
  }),
  command({
    mode: "ipc-association",
    syntax: "protocol sctp",
    help: "transport of the association",
    example: "protocol sctp",
    enters: "ipc-protocol",
    set: (scope) => {
      scope.protocol = "sctp";
      return scope;
    },
    unset: (scope) => {
      const { at, id, shutdown, keyString } = scope;
      for (const key of Object.keys(scope) as (keyof IpcAssociation)[]) delete scope[key];
      Object.assign(scope, {
        at,
        id,
        shutdown,
        ...(keyString && { keyString }),
        localIps: [],
        remoteIps: [],
      });
    },
    blocks: (scope) => (scope.protocol ? [scope] : []),
    header: () => "protocol sctp",
  }),
  command({
    mode: "ipc-protocol",
    syntax: "encapsulation (udp [<port:1-65535>] | <ip>)",
    help: "how packets travel: in UDP, from and to a port, or over IP",
    example: "encapsulation udp 9900",
    set: (scope, a, { at }) => {
      const { port } = a;
      scope.encapsulation = a.ip
        ? { at, kind: "ip" }
        : { at, kind: "udp", ...(port !== undefined && { port }) };
    },
    unset: (scope) => {
      scope.encapsulation = undefined;
    },
    show: ({ encapsulation: each }) => {
      if (each === undefined) return [];
      return [
        `encapsulation ${each.kind === "ip" || each.port === undefined ? each.kind : `udp ${each.port}`}`,
      ];
    },
  }),
  ...sideRows("local"),
  command({
    mode: "ipc-protocol",
    syntax: "retransmit-timeout <minimum:300-60000> [msec] <maximum:300-60000> [msec]",
    help: "bounds of the SCTP retransmission timer, in milliseconds",
    example: "retransmit-timeout 300 10000",
    set: (scope, a, { at }) => {
      scope.retransmitTimeout = { at, minMs: a.minimum, maxMs: a.maximum };
    },
    unset: (scope) => {
      scope.retransmitTimeout = undefined;
    },
    show: ({ retransmitTimeout: timeout }) =>
      timeout ? [`retransmit-timeout ${timeout.minMs} ${timeout.maxMs}`] : [],
  }),
  retransmitRow("pathRetransmit", "path", "losses in a row before a path counts as failed"),
  retransmitRow("assocRetransmit", "assoc", "losses in a row before the association counts as failed"),
  ...sideRows("remote"),
];

export const REDUNDANCY: readonly (readonly Row[])[] = [INTER_DEVICE, IPC];
