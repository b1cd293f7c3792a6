/** The configurations under which the core is compared with the model, and who lives around each of them. */
import { parse } from "../../src/config/parse.js";
import type { Config } from "../../src/config/model.js";
import { parseAddress } from "../../src/ip.js";
import type { Host } from "./endpoint.js";
import type { ModelOptions } from "./policy.js";
import { MIX, type Surroundings } from "./traffic.js";

export interface World {
  name: string;
  text: string;
  options: ModelOptions;
  surroundings: Surroundings;
}

const INSIDE = "GigabitEthernet0/0";
const OUTSIDE = "GigabitEthernet0/1";
const DMZ = "GigabitEthernet0/2";
const VLAN = "GigabitEthernet0/2.20";
/** In one of the worlds. */
const NATIVE = "GigabitEthernet0/2.99";
const DOWN = "GigabitEthernet0/3";

const hosts = (name: string, ...addresses: string[]): Host[] =>
  addresses.map((text) => ({ address: parseAddress(text)!, interface: name }));

const SURROUNDINGS: Surroundings = {
  clients: [
    ...hosts(INSIDE, "10.1.0.10", "10.1.0.11", "10.1.0.12", "10.1.0.14", "10.1.0.15", "10.1.7.7"),
    ...hosts(INSIDE, "2001:db8:1::10", "2001:db8:1::11", "2001:db8:1::12"),
    ...hosts(VLAN, "172.16.20.10"),
    ...hosts(OUTSIDE, "198.51.100.66"),
  ],
  servers: [
    ...hosts(
      OUTSIDE,
      "198.51.100.20",
      "203.0.113.5",
      "203.0.113.6",
      "192.0.2.1",
      "2001:db8:2::20",
      "2001:db8:9::9",
    ),
    ...hosts(DMZ, "172.16.5.10", "2001:db8:5::10"),
    ...hosts(INSIDE, "10.1.0.13"),
  ],
  own: [
    ...hosts(INSIDE, "10.1.0.1", "2001:db8:1::1"),
    ...hosts(OUTSIDE, "198.51.100.1", "2001:db8:2::1", "198.51.100.255"),
    ...hosts(DMZ, "172.16.5.254"),
  ],
  interfaces: [INSIDE, OUTSIDE, DMZ, VLAN, DOWN],
  tags: new Map([[VLAN, { parent: DMZ, vlan: 20 }]]),
  serverPorts: [80, 80, 443, 22, 21, 53, 53, 25, 123, 8080, 5060],
  clientPorts: 40,
  withoutIngress: 0,
  mix: MIX,
  mutated: 0.08,
};

interface Bound {
  inside?: string;
  outside?: string;
  dmz?: string;
  vlan?: string;
}

/** Two interfaces. */
function sides({ inside = "", outside = "" }: Bound): string {
  return `
interface ${INSIDE}
 ip address 10.1.0.1 255.255.255.0
 ip address 10.1.1.1 255.255.255.0 secondary
 ipv6 address 2001:db8:1::1/64
 ipv6 address fe80::77 link-local
${inside}
!
interface ${OUTSIDE}
 ip address 198.51.100.1 255.255.255.0
 ipv6 address 2001:db8:2::1/64
${outside}
!
ip route 10.1.7.0 255.255.255.0 10.1.0.254
ip route 0.0.0.0 0.0.0.0 198.51.100.254
ipv6 route ::/0 2001:db8:2::fe
`;
}

/** Interfaces and routes that all the others have; `bound`: more lines for each interface. */
function topology({ dmz = "", vlan = "", ...bound }: Bound): string {
  return `
${sides(bound)}
interface ${DMZ}
 ip address 172.16.5.1 255.255.255.0
 ipv6 address 2001:db8:5::1/64
 ipv6 address fe80::5 link-local
 standby 1 ip 172.16.5.254
${dmz}
!
interface ${VLAN}
 encapsulation dot1Q 20
 ip address 172.16.20.1 255.255.255.0
${vlan}
!
interface ${DOWN}
 ip address 10.3.0.1 255.255.255.0
 shutdown
!
ip route 192.0.2.0 255.255.255.0 Null0
ipv6 route 2001:db8:77::/48 2001:db8:5::fe
`;
}

const STRICT = `
ip inspect name FW tcp timeout 120
ip inspect name FW udp timeout 20
ip inspect name FW icmp
ip inspect name FW ip timeout 15
ip inspect name FW dns timeout 4
ip inspect name FW ftp timeout 60
ip inspect name FW fragment maximum 64 timeout 2
ip inspect tcp synwait-time 10
ip inspect tcp block-non-session
ipv6 inspect name FW6 tcp timeout 120
ipv6 inspect name FW6 udp
ipv6 inspect name FW6 icmp
${topology({
  inside: " ip inspect FW in\n ipv6 inspect FW6 in\n ip verify unicast source reachable-via rx",
  outside: " ip access-group OUTSIDE in\n ipv6 traffic-filter OUTSIDE6 in",
  dmz: " ip access-group DMZ in",
})}
ip access-list extended OUTSIDE
 permit icmp any any echo
 permit tcp any host 172.16.5.10 eq www
 permit udp any host 224.0.0.2 eq 1985
 deny ip any any
ip access-list extended DMZ
 permit tcp host 172.16.5.10 any established
 permit udp 172.16.5.0 0.0.0.255 any eq domain
ipv6 access-list OUTSIDE6
 permit tcp any host 2001:db8:5::10 eq www
 deny udp any any eq ntp
`;

const INSIDE_AND_OUTSIDE = `
ip inspect name FW tcp timeout 120
ip inspect name FW udp timeout 20
ip inspect name FW icmp
ipv6 inspect name FW6 tcp
ipv6 inspect name FW6 udp
${sides({
  inside: " ip access-group 101 in",
  outside: " ip inspect FW out\n ipv6 inspect FW6 out\n ip access-group 102 in",
})}
access-list 101 permit ip 10.0.0.0 0.255.255.255 any
access-list 101 permit ip 172.16.0.0 0.15.255.255 any
access-list 101 permit udp any any
access-list 102 permit icmp any any echo
access-list 102 permit tcp any any eq www
`;

const PERMISSIVE = `
ip source-route
ip options ignore
ip inspect name APP http timeout 90
ip inspect name APP tcp
ip inspect name APP icmp
ip inspect name ALL tcp
ip inspect name ALL udp
ip inspect tcp window-scale-enforcement loose
ip inspect tcp finwait-time 2
ip inspect tcp idle-time 60
ip port-map http port 8080
${topology({
  inside: " ip access-group INSIDE in\n ip access-group TOINSIDE out\n ip inspect APP in",
  outside: " ip access-group OUTSIDE in\n ip inspect ALL out\n ip verify unicast source reachable-via any",
  dmz: " ip access-group 10 in\n ip inspect APP out",
  vlan: " ip access-group VLAN in\n ip access-group VLAN out",
})}
time-range EARLY
 periodic daily 0:00 to 0:40
object-group network SERVERS
 host 203.0.113.5
 172.16.5.0 255.255.255.0
 range 198.51.100.10 198.51.100.30
object-group service WEB
 tcp eq www
 tcp eq 443
 udp eq domain
 icmp echo
ip access-list extended INSIDE
 permit tcp 10.1.0.0 0.0.255.255 any range 20 80
 permit tcp any any eq 443 established
 permit tcp any object-group SERVERS match-all +syn -ack
 permit object-group WEB any object-group SERVERS
 deny icmp any any echo-reply
 permit icmp any any log
 permit udp any any neq 123
 deny ip any any option any-options
 permit tcp any any match-any +fin +psh
 permit ip any any precedence critical
 permit sctp any any gt 1000
 permit igmp any any
 permit ip any any ttl gt 60
ip access-list extended TOINSIDE
 permit tcp any any
 permit icmp any any echo
 deny udp any any gt 60000
 permit ip any any
ip access-list extended OUTSIDE
 permit tcp any any eq www
 permit tcp any any established
 permit icmp any any
 permit udp any eq domain any
 permit udp any any time-range EARLY
 permit 47 any any
 deny ip any any dscp ef
 permit ip 203.0.113.0 0.0.0.254 any
ip access-list extended VLAN
 permit tcp any any
 permit udp any any
 permit icmp any any
access-list 10 permit 172.16.5.0 0.0.0.255
`;

const ROUTER = `
${topology({
  inside: " ip access-group 101 in",
  outside: " ip access-group 102 out\n ipv6 traffic-filter SIX in",
})}
access-list 101 permit tcp any any
access-list 101 permit icmp any any
access-list 101 permit udp any any
access-list 102 deny tcp any any eq 25
access-list 102 permit ip any any
ipv6 access-list SIX
 deny tcp any any eq 22
 deny ipv6 any any routing
 permit ipv6 any any dest-option
 permit icmp any any
 permit tcp any any
`;

const SMALL = `
ip inspect name FW tcp timeout 30
ip inspect name FW udp timeout 40000
ip inspect name FW icmp timeout 5
ip inspect tcp synwait-time 8
${topology({ inside: " ip inspect FW in", outside: " ip inspect FW in", dmz: " ip inspect FW in", vlan: " ip inspect FW in" })}
`;

const FRAGMENTS = `
ip inspect name FW udp
ip inspect name FW icmp
ip inspect name FW tcp
ip inspect name FW fragment maximum 50 timeout 3
ipv6 inspect name FW6 udp
ipv6 inspect name FW6 icmp
${topology({
  inside: " ip inspect FW in\n ipv6 inspect FW6 in",
  outside: " ip access-group IN in\n ip virtual-reassembly max-reassemblies 16 max-fragments 6 timeout 4",
  vlan: " ip virtual-reassembly drop-fragments",
})}
ip access-list extended IN
 permit udp any any eq domain
 permit icmp any any echo
`;

const SIX = `
ipv6 inspect name FW6 tcp timeout 100
ipv6 inspect name FW6 udp timeout 9
ipv6 inspect name FW6 icmp
ipv6 inspect name FW6 ip
${topology({
  outside:
    " ipv6 inspect FW6 out\n ipv6 traffic-filter SIX in\n ipv6 verify unicast source reachable-via rx allow-default",
  dmz: " ipv6 traffic-filter DMZ6 in",
})}
ipv6 access-list SIX
 permit icmp any any echo-request
 permit tcp any 2001:db8:5::/64 eq www
 permit udp any any eq domain flow-label 5
 permit 89 any any
 deny ipv6 any any log
ipv6 access-list DMZ6
 permit tcp any any established
 permit udp any any
 permit icmp any any
 deny ipv6 any any undetermined-transport
`;

const without = (family: "number" | "bigint", world: Surroundings): Surroundings => ({
  ...world,
  clients: world.clients.filter(({ address }) => typeof address === family),
});

const ALL: readonly World[] = [
  { name: "strict", text: STRICT, options: {}, surroundings: SURROUNDINGS },
  { name: "permissive", text: PERMISSIVE, options: {}, surroundings: without("number", SURROUNDINGS) },
  {
    name: "replay by source",
    text: STRICT,
    options: {},
    surroundings: { ...SURROUNDINGS, withoutIngress: 0.9 },
  },
  {
    name: "inside",
    text: INSIDE_AND_OUTSIDE,
    options: { inside: ["10.1.0.0/16", "172.16.0.0/12", "2001:db8:1::/48"] },
    surroundings: { ...SURROUNDINGS, withoutIngress: 1 },
  },
  {
    name: "router",
    text: ROUTER,
    options: {
      checksums: false,
      macs: new Map([
        [OUTSIDE, "02:00:00:00:00:0a"],
        [DMZ, "02:00:00:00:00:0a"],
      ]),
      mtus: new Map([
        [OUTSIDE, 200],
        [DMZ, 100],
        [INSIDE, 300],
      ]),
    },
    surroundings: SURROUNDINGS,
  },
  {
    name: "native VLAN",
    text: ROUTER.replace(
      `interface ${DMZ}\n`,
      `interface ${DMZ}\n!\ninterface ${NATIVE}\n encapsulation dot1Q 99 native\n`,
    ),
    options: { macs: new Map([[DMZ, "02:00:00:00:00:0a"]]) },
    surroundings: { ...SURROUNDINGS, interfaces: [...SURROUNDINGS.interfaces, NATIVE] },
  },
  {
    name: "small table",
    text: SMALL,
    options: { capacity: { sessions: 1024 } },
    surroundings: { ...SURROUNDINGS, clientPorts: 60_000, mix: { ...MIX, flood: 12 }, mutated: 0.02 },
  },
  {
    name: "fragments",
    text: FRAGMENTS,
    options: { capacity: { fragments: 40 }, mtus: new Map([[OUTSIDE, 150]]) },
    surroundings: { ...SURROUNDINGS, mix: { ...MIX, fragments: 200 } },
  },
  {
    name: "pair",
    text: INSIDE_AND_OUTSIDE,
    options: { pair: [INSIDE, OUTSIDE] },
    surroundings: {
      ...SURROUNDINGS,
      clients: SURROUNDINGS.clients.map((host) => ({ ...host, interface: INSIDE })),
    },
  },
  {
    name: "IPv6",
    text: SIX,
    options: { mtus: new Map([[OUTSIDE, 300]]) },
    surroundings: without("bigint", SURROUNDINGS),
  },
];

/** Sessions that there is room for, where a world does not say otherwise: more than its traffic needs. */
export const ROOMY = 8192;

export const WORLDS: readonly World[] = ALL.map((world) => ({
  ...world,
  options: { ...world.options, capacity: { sessions: ROOMY, ...world.options.capacity } },
}));

/** The configuration of a world; a mistake in its text is a bug of this file. */
export function configOf(world: World): Config {
  const { config, diagnostics } = parse(world.text, { file: world.name });
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  if (errors.length > 0) throw new Error(JSON.stringify(errors));
  return config;
}
