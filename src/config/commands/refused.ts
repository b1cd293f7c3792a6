/** Commands at the top level that would change what is forwarded if they were ignored. */
import { notesOf, refusalsOf, type Row } from "../command.js";

const rejected = refusalsOf("global");
const noted = notesOf("global");

const ZONES = "the zone firewall and stateful failover exclude each other; use `ip inspect`";

export const REFUSED: readonly Row[] = [
  rejected(
    "ip nat <text:line>",
    "ip nat inside source list 1 interface GigabitEthernet0/1 overload",
    "address translation",
    "addresses are not translated; translate before or behind the firewall",
  ),
  rejected(
    "crypto <text:line>",
    "crypto isakmp policy 10",
    "encryption",
    "packets are not encrypted; end tunnels elsewhere",
    "opaque",
  ),
  rejected("zone security <name:word>", "zone security INSIDE", "a security zone", ZONES, "opaque"),
  rejected(
    "zone-pair security <text:line>",
    "zone-pair security OUT source INSIDE destination OUTSIDE",
    "a pair of zones",
    ZONES,
    "opaque",
  ),
  rejected(
    "(class-map | policy-map | parameter-map) type inspect <text:line>",
    "policy-map type inspect OUT",
    "zone firewall policy",
    ZONES,
    "opaque",
  ),
  rejected(
    "ip vrf <name:word>",
    "ip vrf RED",
    "a further routing table",
    "there is one routing table",
    "opaque",
  ),
  rejected(
    "vrf definition <name:word>",
    "vrf definition RED",
    "a further routing table",
    "there is one routing table",
    "opaque",
  ),
  rejected("bridge <text:line>", "bridge irb", "bridging", "the firewall routes; it is not transparent"),
  rejected(
    "route-map <text:line>",
    "route-map PBR permit 10",
    "policy routing",
    "routes follow the destination only",
    "opaque",
  ),
  rejected(
    "track <text:line>",
    "track 1 interface GigabitEthernet0/1 line-protocol",
    "a tracked object",
    "objects are not tracked; `standby track INTERFACE` is",
    "opaque",
  ),
  rejected(
    "ip (ips | urlfilter | audit) <text:line>",
    "ip ips name SIGS",
    "inspection of contents",
    "contents are not matched here",
  ),
];

/** Quality of service does nothing until it is bound, and binding it is refused. */
export const POLICIES: readonly Row[] = [
  noted(
    "class-map [match-any | match-all] <name:word>",
    "class-map match-any VOICE",
    "class of packets",
    "no policy is applied",
    "opaque",
  ),
  noted(
    "policy-map <name:word>",
    "policy-map QOS",
    "policy for classes of packets",
    "no policy is applied",
    "opaque",
  ),
];
