/**
 * Attacks from a host on the LANs of a pair, with real tools, bounded in packets and time: the pair keeps its roles and its
 * sessions, connections go on, and it says what it saw.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Box, requireLab } from "./lab.js";
import { ADDRESSES, ATTACKER, ECHO_PORT, INSIDE, OUTSIDE, Pair, type Side, VIRTUAL_MAC } from "./pair.js";
import { sleep } from "./system.js";
import { hold, type HoldSummary, type Traffic } from "./traffic.js";

const isPossible = requireLab("sysctl", "cc", "hping3", "nmap", "arping", "scapy");

const CONNECTIONS = 50;
/** For what an attack has begun to show. */
const LATER_MS = 1500;
const DRAIN_MS = 15_000;
/** The interpreter that Debian's scapy belongs to. */
const PYTHON = "/usr/bin/python3";

/** Runs a script with scapy's names in the attacker's box. */
function scapy(box: Box, script: string): void {
  const prelude = "import logging\nlogging.getLogger('scapy.runtime').setLevel(logging.ERROR)\n";
  box.run(PYTHON, ["-c", `${prelude}from scapy.all import *\nfrom scapy.layers.hsrp import HSRP\n${script}`]);
}

/** Messages of HSRP that claim the group with the highest priority, sent some times. */
const forgedHsrp = (source: string, opcode: number, state: number) => `
packet = Ether(src="${VIRTUAL_MAC.inside}", dst="01:00:5e:00:00:02") / IP(src="${source}", dst="224.0.0.2", ttl=1) \\
  / UDP(sport=1985, dport=1985) \\
  / HSRP(opcode=${opcode}, state=${state}, hellotime=1, holdtime=255, priority=255, group=1, auth=b"cisco", virtualIP="${INSIDE.gateway}")
sendp(packet, iface="eth0", count=40, inter=0.02, verbose=0)
`;

interface Reasons {
  readonly counters: { readonly reasons: Readonly<Record<string, { readonly packets: number }>> };
}

describe.skipIf(!isPossible).sequential("attacks on a pair", () => {
  let pair: Pair;
  let attacker: Box;
  let active: Side;
  let held: Traffic<HoldSummary>;

  beforeAll(async () => {
    pair = await Pair.build();
    attacker = pair.lab.box("attacker");
    active = await pair.untilWhole();
    held = await hold(pair.inside, OUTSIDE.host, ECHO_PORT, {
      count: CONNECTIONS,
      "open-rate": 500,
      rate: 20,
      "drain-ms": DRAIN_MS,
    });
  }, 120_000);
  afterAll(() => pair?.close());

  const logLength = () => pair.firewall(active).program.lines.length;

  /** The roles are as they were, and all connections are open and have been answered since. */
  async function untouched(): Promise<void> {
    await sleep(LATER_MS);
    expect(await pair.untilWhole()).toBe(active);
    await held.report();
    await sleep(LATER_MS);
    const { summary, connections } = await held.report();
    expect(summary).toMatchObject({ open: CONNECTIONS, wrong: 0 });
    for (const { gapMs } of connections) expect(gapMs).toBeLessThan(2 * LATER_MS);
  }

  test.each([
    { what: "coups", opcode: 1, state: 16, source: ATTACKER.inside },
    { what: "hellos of an active router", opcode: 0, state: 16, source: ATTACKER.inside },
    { what: "resignations in the name of a box", opcode: 2, state: 16, source: ADDRESSES.a.inside },
  ])("forged HSRP: $what", async ({ opcode, state, source }) => {
    scapy(attacker, forgedHsrp(source, opcode, state));
    await untouched();
    // A line of one kind about one source comes once in a while: the first of the attacks may have caused it.
    const all = [...pair.firewall("a").logged(/%HSRP-4-/), ...pair.firewall("b").logged(/%HSRP-4-/)];
    expect(all.join("\n")).toMatch(/BADAUTH|DUPADDR|REFUSED/);
  });

  test("floods: SYNs and datagrams to the box, hellos to the group", async () => {
    const target = ADDRESSES[active].inside;
    const flood = (...options: string[]) =>
      attacker.run("sh", [
        "-c",
        `timeout 8 hping3 -q -I eth0 -i u500 -c 3000 "$@" >/dev/null 2>&1 || true`,
        "flood",
        ...options,
      ]);
    flood("-S", "-p", "22", "--rand-source", target);
    flood("--udp", "-p", "5000", target);
    flood("--udp", "-s", "1985", "-k", "-p", "1985", "-d", "20", "224.0.0.2");
    await untouched();
  });

  test("a scan from outside finds nothing", async () => {
    const said = attacker.run("nmap", [
      ...[
        "-n",
        "-Pn",
        "-sS",
        "-e",
        "eth1",
        "-p1-200,1985,5000,9899",
        "--max-retries",
        "0",
        "--min-rate",
        "500",
      ],
      ...["--host-timeout", "20s", ADDRESSES[active].outside, OUTSIDE.gateway],
    ]);
    expect(said).toMatch(/filtered|closed/);
    expect(said).not.toMatch(/^\d+\/tcp\s+open\s/m);
    const { counters } = await pair.firewall(active).show<Reasons>("show ip inspect statistics");
    expect(counters.reasons.acl_in_deny?.packets ?? 0).toBeGreaterThan(100);
    await untouched();
  });

  test("ARP spoofing of the virtual address is answered, and named", async () => {
    const from = logLength();
    scapy(
      attacker,
      `mac = get_if_hwaddr("eth0")
reply = Ether(src=mac, dst="ff:ff:ff:ff:ff:ff") / ARP(op=2, hwsrc=mac, psrc="${INSIDE.gateway}", hwdst="ff:ff:ff:ff:ff:ff", pdst="${INSIDE.gateway}")
sendp(reply, iface="eth0", count=5, inter=0.1, verbose=0)`,
    );
    // A frame from the defended address puts the host's entry right.
    await sleep(LATER_MS);
    expect(
      pair
        .firewall(active)
        .logged(/DUPADDR/, from)
        .join("\n"),
    ).toContain(INSIDE.gateway);
    await untouched();
    expect(pair.inside.run("ip", ["neigh", "show", INSIDE.gateway])).toContain(VIRTUAL_MAC.inside);
  });

  test("after all of it no byte was wrong", async () => {
    expect((await held.stop()).summary).toMatchObject({ open: CONNECTIONS, stalled: 0, wrong: 0 });
  });
});
