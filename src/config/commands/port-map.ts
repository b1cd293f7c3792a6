/** `ip port-map`: on which further ports an application runs. */
import { commandWith, fail, type Row } from "../command.js";
import { put, remove } from "../lists.js";
import type { Placed, PortMapping } from "../model.js";

/** Most ports of one `ip port-map` line. */
const PORTS = "*16";

interface PortMapArguments {
  protocol?: string;
  user?: string;
  transport?: "tcp" | "udp";
  ports?: number[];
  low?: number;
  high?: number;
  list?: string;
  description?: string;
}

const TRANSPORTS: readonly ("tcp" | "udp")[] = ["tcp", "udp"];

const mappingKey = ({ at: _at, description: _description, ...mapping }: PortMapping) =>
  JSON.stringify(mapping);

function mappingOf(a: PortMapArguments, at: Placed["at"]): PortMapping {
  return {
    at,
    protocol: a.protocol ?? a.user!,
    transports: a.transport ? [a.transport] : [...TRANSPORTS],
    ports: a.ports ? a.ports.map((port) => ({ low: port, high: port })) : [{ low: a.low!, high: a.high! }],
    ...(a.list !== undefined && { list: a.list }),
    ...(a.description !== undefined && { description: a.description }),
  };
}

function showMapping({ protocol, transports, ports, list, description }: PortMapping): string {
  const words = [`ip port-map ${protocol} port`];
  if (transports.length < TRANSPORTS.length) words.push(...transports);
  const [first, ...more] = ports;
  if (first && more.length === 0 && first.low !== first.high)
    words.push(`from ${first.low} to ${first.high}`);
  else words.push(...ports.map((port) => `${port.low}`));
  if (list !== undefined) words.push(`list ${list}`);
  if (description !== undefined) words.push(`description ${description}`);
  return words.join(" ");
}

export const PORT_MAP: readonly Row[] = [
  commandWith<PortMapArguments>()({
    mode: "global",
    syntax: `ip port-map (<user:user-protocol> | <protocol:inspect-protocol> | <protocol=http|smtp|esmtp|imap|pop3|rpc>) port [<transport=tcp|udp>] (<ports:1-65535${PORTS}> | from <low:1-65535> to <high:1-65535>) [list <list:word>] [description <description:port-map-text>]`,
    help: "further ports of an application",
    example: "ip port-map user-backup port tcp 8080 8081 list 10 description nightly copies",
    set: (config, a, { at }) => {
      if (a.low !== undefined && a.low >= a.high!) return fail("the range of ports is empty", "high");
      return put(config.portMap, mappingOf(a, at), mappingKey);
    },
    remove: (config, a, { at }) => {
      remove(config.portMap, mappingKey(mappingOf(a, at)), mappingKey);
    },
    show: (config) => config.portMap.map(showMapping),
  }),
];
