/** The configurations of a simulated pair: one policy, and what a seed may vary of HSRP, redundancy and sync. */
import type { BoxName } from "../../src/pair/world.js";
import type { ReloadMode } from "../../src/redundancy/index.js";
import { INSIDE, OUTSIDE } from "../model/lab.js";

export const SYNC_LINKS = ["GigabitEthernet0/2", "GigabitEthernet0/3"] as const;
export const HSRP_LANS = [INSIDE, OUTSIDE] as const;
export { INSIDE, OUTSIDE };

export interface Variant {
  readonly helloMs: number;
  readonly holdMs: number;
  /** `ip inspect redundancy update msec`. */
  readonly updateMs: number;
  /** `ip inspect redundancy defer`. */
  readonly isDeferring: boolean;
  /** `ip inspect redundancy resync strict`. */
  readonly isStrict: boolean;
  readonly version: 1 | 2;
  readonly authentication: "none" | "text" | "md5";
  readonly isPreempting: boolean;
  readonly priorities: Readonly<Record<BoxName, number>>;
  /** Messages of the association are signed. */
  readonly isKeyed: boolean;
  readonly reloadMode: ReloadMode;
  /** `path-retransmit` and `assoc-retransmit`. */
  readonly retransmit: number;
  /** How fast the clock of each box runs. */
  readonly clockRates: Readonly<Record<BoxName, number>>;
  /** `bfd interval MS min_rx MS multiplier N` on every interface; undefined: no BFD. */
  readonly bfd: { readonly intervalMs: number; readonly multiplier: number } | undefined;
  /** Lines that only one of the boxes has, at the end. */
  readonly extra: Readonly<Record<BoxName, string>>;
}

export const PLAIN: Variant = {
  helloMs: 100,
  holdMs: 350,
  updateMs: 100,
  isDeferring: false,
  isStrict: false,
  version: 2,
  authentication: "md5",
  isPreempting: true,
  priorities: { A: 100, B: 100 },
  isKeyed: true,
  reloadMode: "soft",
  retransmit: 2,
  clockRates: { A: 1, B: 1 },
  bfd: undefined,
  extra: { A: "", B: "" },
};

/**
 * The least that can be configured. After a cut the boxes hear each other over the association only with the next
 * repetition, so this must be below the hold time for a pair to find together within one.
 */
const RETRANSMIT_MS = 300;
/** Idle times of the policy, in seconds. */
export const UDP_SECONDS = 20;
export const FINWAIT_SECONDS = 1;
/** The last octet of a box's addresses. */
const HOSTS: Readonly<Record<BoxName, number>> = { A: 2, B: 3 };
const OTHER: Readonly<Record<BoxName, BoxName>> = { A: "B", B: "A" };

/** Everything from the inside but telnet, and the web server from the outside. */
export function configText(name: BoxName, variant: Variant): string {
  const host = HOSTS[name];
  const peer = HOSTS[OTHER[name]];
  return `
hostname Router${name}
redundancy inter-device
 scheme standby INSIDE
!
ipc zone default
 association 1
  no shutdown
  protocol sctp
   local-port 5000
    local-ip 10.255.1.${host} 10.255.2.${host}
    retransmit-timeout ${RETRANSMIT_MS} ${RETRANSMIT_MS}
    path-retransmit ${variant.retransmit}
    assoc-retransmit ${variant.retransmit}
   remote-port 5000
    remote-ip 10.255.1.${peer} 10.255.2.${peer}
   ${variant.isKeyed ? "key-string Simulated-Key" : ""}
!
ip inspect name FW tcp
ip inspect name FW udp timeout ${UDP_SECONDS}
ip inspect name FW icmp timeout ${UDP_SECONDS}
ip inspect name PUBLISHED tcp
ip inspect tcp finwait-time ${FINWAIT_SECONDS}
ip inspect redundancy update msec ${variant.updateMs}
${variant.isDeferring ? "ip inspect redundancy defer" : ""}
${variant.isStrict ? "ip inspect redundancy resync strict" : ""}
!
interface ${INSIDE}
${bfd(variant)}
 ip address 10.1.1.${host} 255.255.255.0
 ip access-group INSIDE-IN in
${standby(name, variant, { group: 1, address: "10.1.1.1", label: "INSIDE", track: OUTSIDE })}
!
interface ${OUTSIDE}
${bfd(variant)}
 ip address 203.0.113.${host} 255.255.255.0
 ip access-group OUTSIDE-IN in
 ip inspect PUBLISHED in redundancy stateful INSIDE
 ip inspect FW out redundancy stateful INSIDE
${standby(name, variant, { group: 2, address: "203.0.113.1", label: "OUTSIDE", track: INSIDE })}
!
interface ${SYNC_LINKS[0]}
${bfd(variant)}
 ip address 10.255.1.${host} 255.255.255.0
!
interface ${SYNC_LINKS[1]}
${bfd(variant)}
 ip address 10.255.2.${host} 255.255.255.0
!
ip route 0.0.0.0 0.0.0.0 203.0.113.254
!
ip access-list extended INSIDE-IN
 deny   tcp any any eq telnet
 permit ip 10.1.1.0 0.0.0.255 any
ip access-list extended OUTSIDE-IN
 permit tcp any host 10.1.1.80 eq www
 deny   ip any any
${variant.extra[name]}
`;
}

const bfd = ({ bfd }: Variant): string =>
  bfd === undefined
    ? ""
    : ` bfd interval ${bfd.intervalMs} min_rx ${bfd.intervalMs} multiplier ${bfd.multiplier}`;

interface Group {
  readonly group: number;
  readonly address: string;
  readonly label: string;
  readonly track: string;
}

function standby(name: BoxName, variant: Variant, { group, address, label, track }: Group): string {
  const { version, helloMs, holdMs, isPreempting, priorities } = variant;
  const authentication = {
    none: "",
    text: "authentication Sim",
    md5: "authentication md5 key-string Sim-Key",
  };
  return [
    ...(version === 2 ? ["standby version 2"] : []),
    "standby delay minimum 0 reload 0",
    `standby ${group} ip ${address}`,
    `standby ${group} timers msec ${helloMs} msec ${holdMs}`,
    `standby ${group} priority ${priorities[name]}`,
    ...(isPreempting ? [`standby ${group} preempt`] : []),
    ...(variant.authentication === "none"
      ? []
      : [`standby ${group} ${authentication[variant.authentication]}`]),
    `standby ${group} name ${label}`,
    `standby ${group} track ${track}`,
  ]
    .map((line) => ` ${line}`)
    .join("\n");
}

/** As a report names it: what differs from PLAIN. */
export function describeVariant(variant: Variant): string {
  const words = (Object.keys(PLAIN) as (keyof Variant)[])
    .filter((key) => JSON.stringify(variant[key]) !== JSON.stringify(PLAIN[key]))
    .map((key) => `${key} ${JSON.stringify(variant[key])}`);
  return words.length === 0 ? "plain" : words.join(", ");
}
