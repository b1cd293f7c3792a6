/** `monitor capture ...`: packets with their verdicts, from inside. */
import type { AddressMatch, PortMatch } from "../../config/model.js";
import {
  CAPTURE_DEFAULTS,
  type CaptureMatch,
  type CaptureOptions,
  type CaptureView,
  type ConsoleBackend,
} from "../backend.js";
import { act, type ExecRow, type Said, show } from "../command.js";
import { addressesAsText } from "../json.js";
import { capturesText } from "../show/system.js";

const BYTES_PER_MEGABYTE = 1024 * 1024;

async function find(backend: ConsoleBackend, name: string): Promise<CaptureView | undefined> {
  return (await backend.captures()).find((capture) => capture.name === name);
}

function optionsOf({
  name,
  interfaces,
  match,
  verdict,
  bufferBytes,
  packetBytes,
  packets,
  isCircular,
}: CaptureView): CaptureOptions {
  return {
    name,
    interfaces,
    match,
    verdict,
    bufferBytes,
    packetBytes,
    isCircular,
    ...(packets !== undefined && { packets }),
  };
}

/** Changes the capture of a name, or makes one. */
async function define(
  backend: ConsoleBackend,
  name: string,
  change: (before: CaptureOptions) => Partial<CaptureOptions>,
): Promise<Said> {
  const known = await find(backend, name);
  if (known?.isRunning) return { problem: `capture ${name} is running` };
  const before = known === undefined ? { name, ...CAPTURE_DEFAULTS } : optionsOf(known);
  return backend.capture({ kind: "define", options: { ...before, ...change(before) } });
}

/** What is left when an option of a capture is taken away. */
const redefine = async (
  backend: ConsoleBackend,
  name: string,
  change: (before: CaptureOptions) => Partial<CaptureOptions>,
) =>
  (await find(backend, name)) === undefined
    ? { problem: `no capture ${name}` }
    : define(backend, name, change);

interface FlowArguments {
  readonly source: AddressMatch;
  readonly destination: AddressMatch;
  readonly sourcePort?: PortMatch;
  readonly destinationPort?: PortMatch;
}

const flow = (family: 4 | 6, protocol: number | undefined, a: FlowArguments): CaptureMatch => ({
  kind: "flow",
  family,
  ...(protocol !== undefined && { protocol }),
  source: a.source,
  destination: a.destination,
  ...(a.sourcePort && { sourcePort: a.sourcePort }),
  ...(a.destinationPort && { destinationPort: a.destinationPort }),
});

const HEAD = "monitor capture <name:word>";

const simple = (verb: "start" | "stop" | "clear", help: string): ExecRow =>
  act({
    syntax: `${HEAD} ${verb}`,
    help,
    example: `monitor capture CAP ${verb}`,
    run: ({ name }: { name: string }, { backend }) => backend.capture({ kind: verb, name }),
  });

const PORTS = { tcp: 6, udp: 17 } as const;

const flowRows = (family: 4 | 6): ExecRow[] => {
  const address = family === 4 ? "address4" : "address6";
  const any = family === 4 ? "ip" : "ipv6";
  const protocol = family === 4 ? "protocol" : "protocol6";
  const matching = (a: { name: string }, backend: ConsoleBackend, match: CaptureMatch) =>
    define(backend, a.name, () => ({ match }));
  return [
    act({
      syntax: `${HEAD} match ipv${family} (${any} | <protocol:${protocol}>) <source:${address}> <destination:${address}>`,
      help: "packets of a protocol between two addresses",
      example:
        family === 4
          ? "monitor capture CAP match ipv4 icmp any any"
          : "monitor capture CAP match ipv6 icmp any any",
      run: (a: FlowArguments & { name: string; protocol?: number }, { backend }) =>
        matching(a, backend, flow(family, a.protocol, a)),
    }),
    ...(["tcp", "udp"] as const).map((name) =>
      act({
        syntax:
          `${HEAD} match ipv${family} ${name} <source:${address}> [<sourcePort:${name}-ports>] ` +
          `<destination:${address}> [<destinationPort:${name}-ports>]`,
        help: `${name.toUpperCase()} between two addresses and ports`,
        example: `monitor capture CAP match ipv${family} ${name} any any eq 53`,
        run: (a: FlowArguments & { name: string }, { backend }) =>
          matching(a, backend, flow(family, PORTS[name], a)),
      }),
    ),
  ];
};

export const CAPTURE: readonly ExecRow[] = [
  act({
    syntax: `${HEAD} interface <on:interface> <direction=in|out|both>`,
    help: "an interface to capture on, and which way",
    example: "monitor capture CAP interface GigabitEthernet0/0 both",
    run: async ({ name, on, direction }, { backend }) => {
      if (!(await backend.config()).interfaces.has(on)) return { problem: `no interface ${on}` };
      return define(backend, name, ({ interfaces }) => ({
        interfaces: [...interfaces.filter((each) => each.interface !== on), { interface: on, direction }],
      }));
    },
    undo: ({ name, on }, { backend }) =>
      redefine(backend, name, ({ interfaces }) => ({
        interfaces: interfaces.filter((each) => each.interface !== on),
      })),
  }),
  act({
    syntax: `${HEAD} match any`,
    help: "every packet",
    example: "monitor capture CAP match any",
    run: ({ name }, { backend }) => define(backend, name, () => ({ match: { kind: "any" } })),
  }),
  ...flowRows(4),
  ...flowRows(6),
  act({
    syntax: `${HEAD} access-list <list:word>`,
    help: "packets that an access list permits",
    example: "monitor capture CAP access-list WANTED",
    run: async ({ name, list }, { backend }) => {
      const { accessLists, accessLists6 } = await backend.config();
      if (!accessLists.has(list) && !accessLists6.has(list)) return { problem: `no access list ${list}` };
      return define(backend, name, () => ({ match: { kind: "list", list } }));
    },
  }),
  act({
    syntax: `${HEAD} verdict <verdict=all|drop|pass>`,
    help: "packets with a verdict",
    example: "monitor capture CAP verdict drop",
    run: ({ name, verdict }, { backend }) => define(backend, name, () => ({ verdict })),
  }),
  act({
    syntax: `${HEAD} buffer (size <megabytes:1-1024> | <circular>)`,
    help: "room for packets, in MB, and whether old ones make room for new ones",
    example: "monitor capture CAP buffer size 20",
    run: ({ name, megabytes }, { backend }) =>
      define(backend, name, () =>
        megabytes === undefined ? { isCircular: true } : { bufferBytes: megabytes * BYTES_PER_MEGABYTE },
      ),
  }),
  act({
    syntax: `${HEAD} limit (packets <packets:1-100000000> | packet-len <bytes:64-65535>)`,
    help: "packets after which it stops, or bytes of each packet that are kept",
    example: "monitor capture CAP limit packets 1000",
    run: ({ name, packets, bytes }, { backend }) =>
      define(backend, name, () => (packets === undefined ? { packetBytes: bytes! } : { packets })),
  }),
  simple("start", "begin to capture"),
  simple("stop", "end it; the packets are kept"),
  simple("clear", "forget the packets"),
  act({
    syntax: `${HEAD} export <file:file>`,
    help: "write the packets with their verdicts to a pcapng file",
    example: "monitor capture CAP export drops.pcapng",
    run: ({ name, file }, { backend }) => backend.capture({ kind: "export", name, file }),
  }),
  act({
    syntax: HEAD,
    help: "a capture; with no, it is removed",
    example: "monitor capture CAP",
    run: ({ name }, { backend }) => define(backend, name, () => ({})),
    undo: ({ name }, { backend }) => backend.capture({ kind: "remove", name }),
  }),
  show({
    syntax: "show monitor capture [<name:word>]",
    help: "captures and what they hold",
    example: "show monitor capture",
    view: async ({ name }, { backend }) => {
      const captures = (await backend.captures()).filter((each) => (name ?? each.name) === each.name);
      return captures.length === 0 && name !== undefined ? { problem: `no capture ${name}` } : captures;
    },
    text: capturesText,
    data: (captures) => addressesAsText(captures, ["address"]),
  }),
];
