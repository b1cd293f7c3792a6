/**
 * Captures of real routers, where they are at hand, played to a router of ours in the same group, which they cannot hear:
 * it goes through the states that RFC 2281 section 5 says.
 */
import { describe, expect, test } from "vitest";
import { Hsrp, type StateAction } from "../../src/hsrp/index.js";
import { EVENTS } from "../../src/hsrp/table.js";
import { names, packetsOf } from "./corpus.js";
import { optionsFor } from "./world.js";

const ON = "GigabitEthernet0/0";

interface Replay {
  capture: string;
  /** What the router is. */
  as: string;
  /** Why it does what it does. */
  why: string;
  /** Takes any TTL. */
  isLenient?: boolean;
  /** Below its interface. */
  lines: readonly string[];
  /** `seconds letter state`: when, by which event of the RFC, and what it becomes. */
  states: readonly string[];
  /** Packets that are not believed, by reason. */
  refused?: Readonly<Record<string, number>>;
}

/** So long after the last packet there are no routers any more: nothing comes after that. */
const SILENCE_MS = 30_000;

/** Plays a capture to a router that starts with its first packet. */
function play({ capture, lines, isLenient = false }: Replay): {
  states: string[];
  refused: Record<string, number>;
} {
  const text = [`interface ${ON}`, " standby delay minimum 0 reload 0", ...lines.map((line) => ` ${line}`)];
  const machine = new Hsrp(optionsFor(text.join("\n"), 1, { isLenient }));
  const changes: [number, StateAction][] = [];
  const step = (input: Parameters<Hsrp["step"]>[0], nowMs: number) => {
    for (const action of machine.step(input, nowMs))
      if (action.kind === "state") changes.push([nowMs, action]);
  };
  const until = (endMs: number) => {
    while (machine.deadlineMs <= endMs) step({ kind: "tick" }, machine.deadlineMs);
  };
  const packets = packetsOf(capture);
  const startSeconds = packets[0]!.told.time;
  step({ kind: "link", interface: ON, isUp: true }, 0);
  let nowMs = 0;
  for (const { told, ...packet } of packets) {
    nowMs = (told.time - startSeconds) * 1000;
    until(nowMs);
    step({ kind: "packet", interface: ON, ...packet }, nowMs);
  }
  until(nowMs + SILENCE_MS);
  const { refused } = machine.counters(ON)!;
  return {
    states: changes.map(
      ([atMs, { event, to }]) => `${(atMs / 1000).toFixed(1)} ${EVENTS[event].letter} ${to}`,
    ),
    refused: Object.fromEntries(Object.entries(refused).filter(([, count]) => count > 0)),
  };
}

/** Below the interface of a router of 10.0.0.0/24 in group 1. */
const md5 = (key: string, ...lines: readonly string[]) => [
  "ip address 10.0.0.50 255.255.255.0",
  "standby 1 ip 10.0.0.100",
  `standby 1 authentication md5 key-string ${key}`,
  ...lines,
];
/** In the group of the second packet of a capture that has hellos of two networks. */
const IN_103 = ["ip address 10.52.253.1 255.255.255.0", "standby version 2", "standby 103 ip 10.52.253.126"];
const office = (...lines: readonly string[]) => [
  "ip address 192.168.0.50 255.255.255.0",
  "standby 1 ip 192.168.0.1",
  ...lines,
];
const TEN = "password12345";
const TWENTY = "openwall12345";
const PREEMPTING = ["standby 1 priority 150", "standby 1 preempt"];
const LOW = "standby 1 priority 50";
const kholia = (rest: string) => `kholia-HSRP_10-0.1-${rest}.pcap`;

const REPLAYS: readonly Replay[] = [
  {
    capture: kholia("1408898406"),
    as: "lower, with the key of one of two routers that do not believe each other",
    why:
      "nobody stands by for the Active router, so this one comes to; seven times that is silent for a hold time, this one takes " +
      "over, and gives way to the next hello",
    lines: md5(TEN, LOW),
    states: [
      "0.0 a listen",
      ...["10.0 d speak", "20.0 d standby", "874.7 c active"],
      ...["1337.0 g speak", "1347.0 d standby", "1493.9 c active"],
      ...["1509.1 g speak", "1519.1 d standby", "2166.8 c active"],
      ...["2169.9 g speak", "2179.9 d standby", "2327.9 c active"],
      ...["3045.7 g speak", "3055.7 d standby", "3079.3 c active"],
      ...["3104.4 g speak", "3114.4 d standby", "3122.5 c active"],
      ...["3471.9 g speak", "3481.9 d standby", "4826.4 c active"],
    ],
    refused: { authentication_digest: 1172, repeated: 45 },
  },
  {
    capture: kholia("1408898406"),
    as: "higher, preempting",
    why: "the first hello of the lower Active router is enough, and no later one has it give way",
    lines: md5(TEN, ...PREEMPTING),
    states: ["0.0 a listen", "1.8 h active"],
    refused: { authentication_digest: 1172, repeated: 45 },
  },
  {
    capture: kholia("1408903444"),
    as: "lower",
    why: "as above, of three routers",
    lines: md5(TEN, LOW),
    states: ["0.0 a listen", "10.0 d speak", "20.0 d standby", "74.7 c active"],
    refused: { authentication_digest: 24 },
  },
  {
    capture: kholia("1408903523"),
    as: "higher than a router whose priority is raised later",
    why: "it preempts the router of priority 100, and gives way to the same of priority 200",
    lines: md5(TWENTY, ...PREEMPTING),
    states: ["0.0 a listen", "0.0 h active", "50.6 g speak", "60.6 d standby", "66.2 c active"],
    refused: { authentication_digest: 22 },
  },
  {
    capture: kholia("1408903582"),
    as: "lower than the Active router, preempting",
    why: "there is nothing to preempt",
    lines: md5(TWENTY, ...PREEMPTING),
    states: ["0.0 a listen", "10.0 d speak", "20.0 d standby", "54.4 c active"],
    refused: { authentication_digest: 17 },
  },
  {
    capture: kholia("1408903633"),
    as: "of the same priority and the higher address, preempting",
    why: "an equal priority preempts nobody (as IOS does it; section 5.3 leaves it open)",
    lines: md5(TEN, "standby 1 priority 110", "standby 1 preempt"),
    states: ["0.0 a listen", "10.0 d speak", "20.0 d standby", "221.9 c active"],
    refused: { authentication_digest: 79 },
  },
  {
    capture: kholia("1408903906"),
    as: "lower, without timers of its own",
    why: "it waits for as long as the Active router says, whose hellos come every 6 s",
    lines: md5(TWENTY, LOW),
    states: ["0.0 a listen", "10.0 d speak", "20.0 d standby", "51.2 c active"],
    refused: { authentication_digest: 16 },
  },
  {
    capture: kholia("1409591337"),
    as: "lower than both",
    why:
      "the Standby router speaks and falls silent, so this one stands by; it is Active while the other is silent for three " +
      "minutes, gives way, and is silent in turn for the other one that speaks; what comes at once says nothing new",
    lines: md5(TEN, LOW),
    states: [
      "0.0 a listen",
      ...["10.0 d speak", "20.0 d standby", "39.3 c active"],
      ...["215.8 g speak", "215.8 f listen"],
      ...["225.8 d speak", "235.8 d standby", "235.8 c active"],
    ],
    refused: { repeated: 12 },
  },
  {
    capture: "kholia-HSRPv1-single-packet-fuzzed.pcap",
    as: "lower",
    why: "the TLV with the digest is damaged: nothing is believed, and it is alone",
    lines: md5(TEN, LOW),
    states: ["0.0 a listen", "10.0 c speak", "20.0 d standby", "20.0 c active"],
    refused: { authentication_missing: 1 },
  },
  {
    capture: "kholia-HSRPv1-single-packet.pcap",
    as: "lower",
    why: "one hello is good for a hold time; in Speak the Active timer has run out, so Standby lasts no time",
    lines: md5(TEN, LOW),
    states: ["0.0 a listen", "10.0 c speak", "20.0 d standby", "20.0 c active"],
  },
  {
    capture: "kholia-HSRPv2_10-0.0-1423497649.pcap",
    as: "lower, with the key of the first router",
    why: "it stands by for that one, is Active while that is silent for 19 s, and does not notice the other",
    lines: md5("password", LOW, "standby version 2"),
    states: [
      "0.0 a listen",
      ...["10.0 d speak", "20.0 d standby", "50.6 c active"],
      ...["59.3 g speak", "69.3 d standby", "2794.0 c active"],
    ],
    refused: { authentication_digest: 993, repeated: 6 },
  },
  {
    capture: "kholia-HSRPv2_10-0.0-1423497649.pcap",
    as: "lower, with the key of the second router, which comes up at 24 s",
    why: "nobody is heard, so it becomes Active; the higher router speaks, becomes Active, and this one stands by",
    lines: md5(TEN, ...PREEMPTING, "standby version 2"),
    states: [
      "0.0 a listen",
      "10.0 c speak",
      "20.0 d standby",
      "20.0 c active",
      "34.4 g speak",
      "44.4 d standby",
      "2792.5 c active",
    ],
    refused: { authentication_digest: 1002 },
  },
  {
    capture: "ndpi-hsrp2.pcap",
    as: "in the group of the second packet",
    why: "the packets are of other networks, or were routed (their TTL is not 1): it is alone",
    lines: IN_103,
    states: ["0.0 a listen", "10.0 c speak", "20.0 d standby", "20.0 c active"],
    refused: { foreign_source: 1, ttl: 1 },
  },
  {
    capture: "ndpi-hsrp2.pcap",
    as: "in that group, to which a hello of its Active router came, taking any TTL",
    why: "the Standby timer is the first that runs out",
    isLenient: true,
    lines: IN_103,
    states: ["0.0 a listen", "10.0 d speak", "20.0 d standby", "20.0 c active"],
    refused: { foreign_source: 1 },
  },
  {
    capture: "ndpi-hsrp2.pcap",
    as: "higher, in the group of the first packet, a hello of its Standby router",
    why: "a lower Standby router makes it speak at once; then nobody is Active",
    isLenient: true,
    lines: ["ip address 10.52.220.1 255.255.255.0", "standby version 2", "standby 920 ip 10.52.220.126"],
    states: ["0.0 a listen", "0.0 l speak", "10.0 d standby", "10.0 c active"],
    refused: { foreign_source: 1 },
  },
  {
    capture: "ndpi-hsrp2_ipv6.pcapng",
    as: "with another key, since theirs is not known",
    why: "what is not proven changes nothing: it is alone",
    lines: [
      "ipv6 address fe80::9 link-local",
      "standby version 2",
      "standby 16 ipv6 autoconfig",
      "standby 16 timers 10 20",
      "standby 16 authentication md5 key-string unknown",
    ],
    states: ["0.0 a listen", "20.0 c speak", "40.0 d standby", "40.0 c active"],
    refused: { authentication_digest: 27 },
  },
  {
    capture: "plife-HSRP_coup.pcap",
    as: "lower",
    why: "a coup is not for a listener; it speaks when no Standby router is heard, and is silent for a higher one that speaks",
    lines: office(LOW),
    states: [
      "0.0 a listen",
      "29.0 d speak",
      "30.1 f listen",
      "59.1 d speak",
      "69.1 d standby",
      "69.1 c active",
    ],
  },
  {
    capture: "plife-HSRP_coup.pcap",
    as: "Active",
    why: "it preempts the lower one, and a coup of a higher one deposes it",
    lines: office(...PREEMPTING),
    states: ["0.0 a listen", "0.0 h active", "21.0 j speak", "31.0 d standby", "59.3 c active"],
  },
  {
    capture: "plife-HSRP_election.pcap",
    as: "second of those that elect",
    why:
      "it speaks when nobody was Active for a hold time, is silent for the higher Standby router, and stands by when that has " +
      "become Active, whoever of the lower ones speaks",
    lines: office("standby 1 priority 150"),
    states: [
      "0.0 a listen",
      ...["10.0 c speak", "10.0 k listen"],
      ...["20.0 d speak", "30.0 d standby", "65.5 c active"],
    ],
    refused: { repeated: 2 },
  },
  {
    capture: "plife-HSRP_failover.pcap",
    as: "lower",
    why:
      "it speaks when the Active router was silent for a hold time (its hello at 10.3 s only repeats that of 9.6 s), is silent " +
      "for a higher one that speaks, and is the last that is left",
    lines: office(LOW),
    states: [
      "0.0 a listen",
      ...["19.6 c speak", "20.3 f listen"],
      ...["55.3 d speak", "65.3 d standby", "65.3 c active"],
    ],
    refused: { repeated: 3 },
  },
];

describe.skipIf(names.length === 0)("captures of routers, played to a router of ours", () => {
  test.each(REPLAYS)("$capture: $as", (replay) => {
    const { states, refused } = play(replay);
    expect({ states, refused }).toEqual({ states: replay.states, refused: replay.refused ?? {} });
  });

  test("each of them is played", () => {
    expect([...new Set(REPLAYS.map(({ capture }) => capture))].sort()).toEqual([...names].sort());
  });
});
