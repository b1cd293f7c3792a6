/** The kernel: plain forwarding, and nftables with conntrack. */
import { readFileSync, writeFileSync } from "node:fs";
import { release } from "node:os";
import type { Box } from "../../../test/live/lab.js";
import { nft } from "../../../test/live/system.js";
import { INSIDE, OUTSIDE, PREFIX_LENGTH } from "../bed.js";
import {
  type Contender,
  LIST_LINES,
  listEntry,
  missingCommands,
  type Policy,
  versionOf,
} from "../contender.js";

/** Room for the largest table that is asked for, and hash buckets for it. */
const CONNTRACK_MAX = 1 << 22;
const CONNTRACK_BUCKETS = 1 << 20;
/** A flow with one packet lives so long: longer than any measurement. */
const UDP_TIMEOUT_SECONDS = 600;

/** Settings of the kernel's whole table, for all namespaces; see `raiseConntrack`. */
const GLOBALS = {
  "/proc/sys/net/netfilter/nf_conntrack_max": CONNTRACK_MAX,
  "/proc/sys/net/netfilter/nf_conntrack_buckets": CONNTRACK_BUCKETS,
};

/**
 * The size of the connection table is one for all namespaces and can only be set outside of them: raised for the time
 * of the bench. Returns what puts it back.
 */
export function raiseConntrack(): () => void {
  const before = Object.entries(GLOBALS).map(([file, value]) => {
    const old = readFileSync(file, "latin1");
    if (Number(old) < value) writeFileSync(file, String(value));
    return [file, old] as const;
  });
  return () => {
    for (const [file, old] of before) writeFileSync(file, old);
  };
}

/** Addresses and forwarding of the kernel in the firewall's box. */
export function forwardByKernel(box: Box, inside: string, outside: string): void {
  box.run("ip", ["address", "replace", `${inside}/${PREFIX_LENGTH}`, "dev", "eth0"]);
  box.run("ip", ["address", "replace", `${outside}/${PREFIX_LENGTH}`, "dev", "eth1"]);
  box.sysctl({ "net.ipv4.ip_forward": 1 });
}

function undo(box: Box): void {
  for (const device of ["eth0", "eth1"]) box.run("ip", ["address", "flush", "dev", device]);
  box.sysctl({ "net.ipv4.ip_forward": 0 });
}

/** Rules that stand before all others. */
function before(policy: Policy): string {
  const entries = Array.from({ length: LIST_LINES }, (_, i) => listEntry(i));
  if (policy === "list")
    return entries.map(({ host, port }) => `ip daddr ${host} udp dport ${port} drop\n`).join("");
  if (policy === "set") return "ip daddr . udp dport @denied drop\n";
  return "";
}

/** Inside opens, outside answers; connections of TCP begin with a SYN. */
export function statefulRules(policy: Policy): string {
  const elements = Array.from({ length: LIST_LINES }, (_, i) => listEntry(i))
    .map(({ host, port }) => `${host} . ${port}`)
    .join(", ");
  const set =
    policy === "set" ? `set denied {\ntype ipv4_addr . inet_service\nelements = { ${elements} }\n}\n` : "";
  return `table inet firewall {
${set}chain forward {
type filter hook forward priority 0
policy drop
${before(policy)}ct state established,related accept
ct state invalid drop
iifname "eth0" meta l4proto tcp tcp flags & (fin | syn | rst | ack) == syn accept
iifname "eth0" meta l4proto != tcp accept
}
}
`;
}

/** The whole table of connections of a box is emptied, its times are long enough, and new ones are filtered. */
export function filterByKernel(box: Box, policy: Policy): void {
  nft(box.namespace, statefulRules(policy));
  box.sysctl({
    "net.netfilter.nf_conntrack_udp_timeout": UDP_TIMEOUT_SECONDS,
    "net.netfilter.nf_conntrack_udp_timeout_stream": UDP_TIMEOUT_SECONDS,
  });
}

export const forwarding: Contender = {
  name: "forwarding",
  receivesOn: "own",
  policies: ["none"],
  missing: () => undefined,
  version: () => `Linux ${release()}`,
  async start({ firewall }) {
    forwardByKernel(firewall, INSIDE.gateway, OUTSIDE.gateway);
    return { stop: async () => undo(firewall) };
  },
};

export const nftables: Contender = {
  name: "nftables",
  receivesOn: "own",
  policies: ["stateful", "list", "set"],
  missing: () => missingCommands("nft", "conntrack"),
  version: () => `${versionOf("nft", "-v")}, Linux ${release()}`,
  async start({ firewall }, policy) {
    forwardByKernel(firewall, INSIDE.gateway, OUTSIDE.gateway);
    filterByKernel(firewall, policy);
    return {
      stop: async () => {
        nft(firewall.namespace, "flush ruleset\n");
        firewall.run("conntrack", ["-F"]);
        undo(firewall);
      },
    };
  },
};
