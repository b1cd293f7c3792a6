/**
 * Rules about how access lists work together with inspection (V18) and with IPv6 neighbour discovery (V28).
 */
import { type AclPacket, aceMatches, PROTOCOL } from "../acl/evaluate.js";
import type { Ace, Config } from "../config/model.js";
import { parseIpv6 } from "../ip.js";
import type { Draft } from "./finding.js";

/** V18. Inspection toward `out` lets answers in; without a list that stops the rest, it protects nothing. */
export function inspectionHasAList(config: Config): Draft[] {
  return [...config.interfaces.values()].flatMap((on) =>
    on.inspect.flatMap((binding): Draft[] => {
      if (binding.direction !== "out") return [];
      const command = binding.family === 4 ? "ip access-group" : "ipv6 traffic-filter";
      const group = on.accessGroups.find((each) => each.family === binding.family && each.direction === "in");
      const inspect = `${binding.family === 4 ? "ip" : "ipv6"} inspect ${binding.rule} out on ${on.name}`;
      if (group === undefined) {
        const message = `${inspect} protects nothing: no list stops what comes in there unasked`;
        return [{ at: binding.at, message, mend: `${command} LIST in on ${on.name}` }];
      }
      const list = binding.family === 4 ? config.accessLists.get(group.list) : undefined;
      if (list?.kind !== "standard") return [];
      return [
        {
          at: group.at,
          other: list.at,
          message: `${inspect} stands with the standard list ${list.name}: it cannot tell protocols apart`,
          mend: `an extended list in place of ${list.name}`,
        },
      ];
    }),
  );
}

const SOLICITATION = 135;
const ADVERTISEMENT = 136;

function neighbourDiscovery(icmpType: number): AclPacket {
  return {
    source: parseIpv6("fe80::1")!,
    destination: parseIpv6("ff02::1:ff00:2")!,
    protocol: PROTOCOL.icmp6,
    icmpType,
    icmpCode: 0,
    ttl: 255,
  };
}

/** V28. A written-out end of an IPv6 list stands before the two permits that the list would have had. */
export function neighbourDiscoveryPasses(config: Config): Draft[] {
  const bound = new Map(
    [...config.interfaces.values()]
      .flatMap((on) => on.accessGroups)
      .filter((group) => group.family === 6)
      .map((group) => [group.list, group]),
  );
  return [...config.accessLists6.values()].flatMap((list): Draft[] => {
    const group = bound.get(list.name);
    if (group === undefined) return [];
    const aces = list.entries.filter((entry) => entry.kind === "ace");
    const end = aces.findIndex(isDenyEverything);
    if (end === -1) return [];
    const before = aces.slice(0, end);
    const missing = [
      { type: SOLICITATION, word: "nd-ns" },
      { type: ADVERTISEMENT, word: "nd-na" },
    ].filter(({ type }) => !before.some((ace) => mayPermit(config, ace, neighbourDiscovery(type))));
    if (missing.length === 0) return [];
    return [
      {
        at: aces[end]!.at,
        other: group.at,
        message: `deny ipv6 any any in list ${list.name} stops neighbour discovery (${missing.map(({ word }) => word).join(", ")}), which the list without this line would permit`,
        mend: `${missing.map(({ word }) => `permit icmp any any ${word}`).join("; ")} before it, or no such line`,
      },
    ];
  });
}

function isDenyEverything(ace: Ace): boolean {
  const {
    kind,
    sequence,
    action,
    at,
    source,
    destination,
    established,
    fragments,
    log,
    logCookie,
    ...conditions
  } = ace;
  return (
    action === "deny" &&
    source.kind === "any" &&
    destination.kind === "any" &&
    !established &&
    !fragments &&
    Object.values(conditions).every((condition) => condition === undefined || condition === false)
  );
}

/** Whether the entry permits such packets at least between some addresses. */
function mayPermit(config: Config, ace: Ace, packet: AclPacket): boolean {
  const anywhere: Ace = { ...ace, source: { kind: "any" }, destination: { kind: "any" } };
  return ace.action === "permit" && aceMatches(config, anywhere, packet, () => true);
}
