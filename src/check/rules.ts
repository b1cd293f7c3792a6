/**
 * The rules, one row each: what a configuration or a pair must satisfy, how grave it is when it does not, and the
 * function that looks. The numbers are stable names: documents, tests and users refer to them.
 */
import * as bfd from "./bfd.js";
import { equipmentIsEqual } from "./equipment.js";
import type { PairRule, Rule } from "./finding.js";
import { everythingIsUnderstood, managementIsClosed, noZones } from "./housekeeping.js";
import { lowIsBelowHigh, thresholdsCanBeReached } from "./limits.js";
import { inspectionHasAList, neighbourDiscoveryPasses } from "./lists.js";
import { namesAreDefined } from "./names.js";
import * as pair from "./pair.js";
import { firewallsAreEqual, routesAreEqual } from "./pair-sections.js";
import { routesLead } from "./routes.js";
import { entriesDecide } from "./shadow.js";
import { bfdPasses, hellosPass } from "./simulate.js";
import * as standby from "./standby.js";
import * as sync from "./sync.js";
import * as takeover from "./takeover.js";
import { framesBelongToOne } from "./vlans.js";

/** Rules about one configuration. Severity is the gravest that the rule gives. */
export const RULES: readonly Rule[] = [
  {
    id: "V01",
    severity: "error",
    demands: "The failover scheme names exactly one HSRP group of this box.",
    check: standby.schemeNamesOneGroup,
  },
  {
    id: "V02",
    severity: "error",
    demands: "Every `redundancy stateful` names the group of the failover scheme.",
    check: sync.statefulNamesScheme,
  },
  {
    id: "V03",
    severity: "error",
    demands: "No two HSRP groups of a box have the same name.",
    check: standby.namesAreUnique,
  },
  {
    id: "V04",
    severity: "error",
    demands: "Every HSRP group has a virtual address and is alone with its number on its LAN.",
    check: standby.groupsAreInstances,
  },
  {
    id: "V05",
    severity: "error",
    demands: "A virtual address is a free host address of the interface's network, used once.",
    check: standby.virtualAddressesFit,
  },
  {
    id: "V06",
    severity: "warning",
    demands:
      "Every HSRP group tracks the other interfaces that fail over, and tracks nothing absent or shut down.",
    check: takeover.groupsTrackEachOther,
  },
  {
    id: "V07",
    severity: "warning",
    demands: "A group that tracks has preempt, without which a fallen priority moves nothing.",
    check: takeover.trackingPreempts,
  },
  {
    id: "V08",
    severity: "error",
    demands: "The HSRP hold time is above the hello time, at least 3 and better 5 to 10 times as long.",
    check: takeover.timersAreSound,
  },
  {
    id: "V09",
    severity: "warning",
    demands: "The HSRP groups of a box agree in timers, version and kind of authentication.",
    check: takeover.groupsAgree,
  },
  {
    id: "V10",
    severity: "warning",
    demands: "After a reload HSRP waits at least 60 seconds, so that the session table can fill.",
    check: takeover.reloadDelayIsLong,
  },
  {
    id: "V11",
    severity: "error",
    demands: "The association has SCTP, both ports and the addresses of both ends.",
    check: sync.associationIsComplete,
  },
  {
    id: "V12",
    severity: "error",
    demands: "`local-ip` is a real address of an interface that is up, `remote-ip` one of the other box.",
    check: sync.syncAddressesAreReal,
  },
  {
    id: "V13",
    severity: "error",
    demands: "The association has one or better two addresses at each end, and no list stops its packets.",
    check: sync.syncPathsAreOpen,
  },
  {
    id: "V14",
    severity: "error",
    demands:
      "The timers of the synchronisation are in range, and a dead peer is noticed within 3 HSRP hold times.",
    check: sync.syncTimersFit,
  },
  {
    id: "V15",
    severity: "error",
    demands: "The association is not shut down and is the only one.",
    check: sync.associationIsOn,
  },
  {
    id: "V16",
    severity: "warning",
    strict: true,
    demands: "The inbound list of an HSRP interface lets the peer's hellos in.",
    check: hellosPass,
  },
  {
    id: "V17",
    severity: "warning",
    demands: "Inspection is stateful on every interface that fails over, or on none.",
    check: sync.inspectionIsStatefulEverywhere,
  },
  {
    id: "V18",
    severity: "warning",
    demands: "An interface with inspection `out` has an extended inbound list.",
    check: inspectionHasAList,
  },
  {
    id: "V19",
    severity: "error",
    demands: "Every rule, list, group, time range and key chain that is used is defined, and the reverse.",
    check: namesAreDefined,
  },
  {
    id: "V20",
    severity: "error",
    demands: "The low thresholds of inspection are not above the high ones.",
    check: lowIsBelowHigh,
  },
  {
    id: "V21",
    severity: "warning",
    demands: "The thresholds of inspection are below the number of sessions that the table holds.",
    check: thresholdsCanBeReached,
  },
  {
    id: "V22",
    severity: "error",
    demands: "There are no zone-based firewall commands; they have no stateful failover.",
    check: noZones,
  },
  {
    id: "V23",
    severity: "warning",
    demands: "The next hop of every static route is reachable, and inside networks have a route back.",
    check: routesLead,
  },
  {
    id: "V24",
    severity: "info",
    demands: "HSRP priorities are left at 100.",
    check: standby.prioritiesAreDefault,
  },
  {
    id: "V25",
    severity: "info",
    demands: "Every line is understood.",
    check: everythingIsUnderstood,
  },
  {
    id: "V26",
    severity: "warning",
    demands: "HSRP runs on LAN interfaces, and the inside of a pair is a LAN.",
    check: takeover.insideIsLan,
  },
  {
    id: "V27",
    severity: "warning",
    demands:
      "No web server in clear text, no session without a time limit, no remote login without a password.",
    check: managementIsClosed,
  },
  {
    id: "V28",
    severity: "warning",
    demands: "An IPv6 list that ends in `deny ipv6 any any` permits neighbour discovery before it.",
    check: neighbourDiscoveryPasses,
  },
  {
    id: "V29",
    severity: "warning",
    demands: "Every access list entry can decide, and no wildcard looks like a network mask.",
    check: entriesDecide,
  },
  {
    id: "V30",
    severity: "warning",
    demands: "HSRP version 1 has groups up to 255 and IPv4 only.",
    check: standby.versionFits,
  },
  {
    id: "V31",
    severity: "warning",
    demands: "The inbound list of an interface with BFD lets the peer's packets in.",
    check: bfdPasses,
  },
  {
    id: "V32",
    severity: "warning",
    demands: "BFD runs where there is a peer to watch.",
    check: bfd.bfdHasANeighbor,
  },
  {
    id: "V33",
    severity: "warning",
    demands: "BFD watches every path between the boxes, or none.",
    check: bfd.bfdWatchesEveryPath,
  },
  {
    id: "V34",
    severity: "warning",
    demands: "BFD notices a dead neighbor sooner than the hold time of HSRP does.",
    check: bfd.bfdIsFasterThanHold,
  },
  {
    id: "V35",
    severity: "error",
    demands:
      "No frame of a port belongs to two interfaces: VLANs are used once, and beside a native one the port has no address.",
    check: framesBelongToOne,
  },
];

/** Rules about two configurations that are to be a pair. */
export const PAIR_RULES: readonly PairRule[] = [
  {
    id: "P01",
    severity: "error",
    demands: "The associations mirror each other: addresses, ports and number.",
    check: pair.associationsMirror,
  },
  {
    id: "P02",
    severity: "error",
    demands: "No interface address is on both boxes.",
    check: pair.addressesAreDistinct,
  },
  {
    id: "P03",
    severity: "error",
    demands: "On each LAN both boxes have the same groups, virtual addresses, version and authentication.",
    check: pair.groupsMatch,
  },
  {
    id: "P04",
    severity: "error",
    demands: "The HSRP groups have the same names on both boxes, and the scheme names the same one.",
    check: pair.namesMatch,
  },
  {
    id: "P05",
    severity: "warning",
    demands: "The priorities are equal, so that a box that comes back does not take over.",
    check: pair.prioritiesMatch,
  },
  {
    id: "P06",
    severity: "error",
    demands: "Both boxes are the same firewall: inspection, lists, bindings, update interval.",
    check: firewallsAreEqual,
  },
  {
    id: "P07",
    severity: "error",
    demands: "Both boxes run the same software on the same hardware.",
    check: equipmentIsEqual,
  },
  {
    id: "P08",
    severity: "warning",
    demands: "Both boxes have the same static routes.",
    check: routesAreEqual,
  },
  {
    id: "P09",
    severity: "error",
    demands: "The group of the scheme is on a LAN that both boxes are connected to.",
    check: pair.schemeIsOnSharedLan,
  },
  {
    id: "P10",
    severity: "warning",
    demands: "The synchronisation does not depend on one of the LANs that it is there to protect.",
    check: pair.syncHasAPathOfItsOwn,
  },
  {
    id: "P11",
    severity: "warning",
    demands: "BFD runs at both ends of a path, or at neither.",
    check: bfd.bfdHasTwoEnds,
  },
];
