import { describe, expect, test } from "vitest";
import { EXIT } from "../../src/cli/exit.js";
import { run } from "../../src/cli/run.js";
import { OFFICE } from "../replay/captures.js";
import { MemoryIo } from "./memory-io.js";

const FILES = {
  "office.cfg": OFFICE,
  "bad.cfg": "hostname\n",
  "unbound.cfg": "interface GigabitEthernet0/0\n ip address 10.1.1.1 255.255.255.0\n ip inspect NOPE in\n",
  "hours.cfg": `
time-range OFFICE-HOURS
 periodic weekdays 8:00 to 17:00
interface GigabitEthernet0/0
 ip address 10.1.1.1 255.255.255.0
 ip access-group T in
interface GigabitEthernet0/1
 ip address 203.0.113.1 255.255.255.0
ip route 0.0.0.0 0.0.0.0 203.0.113.254
ip access-list extended T
 permit tcp any any eq www time-range OFFICE-HOURS
`,
};

async function explained(line: string, config = "office.cfg") {
  const io = new MemoryIo({ files: FILES });
  const code = await run(["explain", "--config", config, ...line.split(" ")], io);
  return { code, out: io.out, err: io.err };
}

describe("a packet", () => {
  test("that passes, golden", async () => {
    expect(await explained("--in Gi0/0 tcp 10.1.1.5:40000 198.51.100.7:www")).toEqual({
      code: EXIT.done,
      err: "",
      out: `\
tcp 10.1.1.5:40000 -> 198.51.100.7:80 syn

  ✔ ingress     arrives on GigabitEthernet0/0
  ✔ sanity      headers, lengths, addresses and checksums are sound
  · session     belongs to no session
  ✔ source      the source address may come from here
  ✔ route       0.0.0.0/0 (static) via 203.0.113.254, GigabitEthernet0/1
  ✔ inspection  FW lists it as tcp, idle timeout 3600 s
  ✔ creation    session 00000001 (tcp, syn_sent) 10.1.1.5:40000 -> 198.51.100.7:80

✔ pass  new_session: permitted and inspected: a session was created
  in GigabitEthernet0/0; out GigabitEthernet0/1; session 00000001
`,
    });
  });

  test("that is denied", async () => {
    const { code, out } = await explained("--in GigabitEthernet0/1 udp 198.51.100.7:53 10.1.1.5:domain");
    expect(code).toBe(EXIT.done);
    expect(out).toContain("✘ acl in   OUTSIDE-IN: 30 deny ip any any log\n");
    expect(out).toContain("\n✘ drop  acl_in_deny: denied by an entry of the inbound list\n");
  });

  test("for the firewall itself", async () => {
    const { code, out } = await explained("--in Gi0/1 icmp 198.51.100.7 203.0.113.1 echo");
    expect(code).toBe(EXIT.done);
    expect(out).toContain("\n● local  local: addressed to the firewall\n");
  });

  test.each([
    ["--in Gi0/0 --ttl 1 udp 10.1.1.5:1 198.51.100.7:2", "ttl_expired"],
    ["--in Gi0/0 tcp 10.1.1.5:1 198.51.100.7:2 ack", "tcp_no_session"],
    ["--in Gi0/0 tcp 10.1.1.5:1 198.51.100.7:2 syn fin", "tcp_flags"],
    ["--in Gi0/0 tcp 10.1.1.5:0 198.51.100.7:2", "port_zero"],
    ["--in Gi0/0 icmp 10.1.1.5 198.51.100.7 port-unreachable", "icmp_unrelated"],
    ["--in Gi0/0 icmp 10.1.1.5 198.51.100.7 redirect", "icmp_forbidden"],
    ["--in Gi0/0 udp 10.1.1.5:1 10.1.1.5:2", "land"],
    ["--in Gi0/0 udp 127.0.0.1:1 198.51.100.7:2", "martian_source"],
    ["--in Gi0/0 udp 10.1.1.1:1 198.51.100.7:2", "own_source"],
    ["--in Gi0/0 udp [2001:db8::1]:1 [2001:db8::2]:2", "protocol_disabled"],
  ])("%s: %s", async (line, reason) => {
    const { code, out } = await explained(`--json ${line}`);
    expect(code).toBe(EXIT.done);
    expect(JSON.parse(out)).toMatchObject({ verdict: "drop", reason, session: null });
  });
});

test("--json has the packet, the verdict and the phases", async () => {
  const { out } = await explained("--json --in Gi0/0 udp 10.1.1.5:40000 198.51.100.7:7");
  expect(JSON.parse(out)).toMatchObject({
    packet: "udp 10.1.1.5:40000 -> 198.51.100.7:7",
    verdict: "pass",
    reason: "new_session",
    ingress: "GigabitEthernet0/0",
    egress: "GigabitEthernet0/1",
    phases: expect.arrayContaining([expect.objectContaining({ phase: "inspection", result: "udp" })]),
  });
});

test("--expect turns the exit code around", async () => {
  const denied = "--in Gi0/1 udp 198.51.100.7:53 10.1.1.5:53";
  expect((await explained(`--expect drop ${denied}`)).code).toBe(EXIT.done);
  expect((await explained(`--expect pass ${denied}`)).code).toBe(EXIT.findings);
  expect((await explained(`--expect local ${denied}`)).code).toBe(EXIT.findings);
});

test("--at decides time ranges; without it, the time of the day", async () => {
  const line = "--in Gi0/0 tcp 10.1.1.5:1 198.51.100.7:80";
  const verdict = async (at: string) => (await explained(`--expect pass ${at}${line}`, "hours.cfg")).code;
  expect(await verdict("--at 2024-05-01T08:00 ")).toBe(EXIT.done);
  expect(await verdict("--at 2024-05-01T07:59 ")).toBe(EXIT.findings);
  expect(await verdict("--at 2024-05-04T12:00:30 ")).toBe(EXIT.findings);
  // The clock of the test stands at ten o'clock on a Wednesday.
  expect(await verdict("")).toBe(EXIT.done);
});

describe("bad input", () => {
  test.each([
    [
      "--in Gi0/7 udp 10.1.1.5:1 1.2.3.4:2",
      "office.cfg",
      /no interface "Gi0\/7" in the configuration; it has Gigabit/,
    ],
    [
      "--in GigabitEthernet0/2 udp 10.1.1.5:1 1.2.3.4:2",
      "office.cfg",
      /did you mean "GigabitEthernet0\/0"\?/,
    ],
    ["--in Gi0/0 udp 10.1.1.5:1 1.2.3.4", "office.cfg", /udp needs a destination port/],
    ["--in Gi0/0 udp 10.1.1.5:1 1.2.3.4:2", "nowhere.cfg", /nowhere\.cfg: no such file or directory/],
    ["--in Gi0/0 udp 10.1.1.5:1 1.2.3.4:2", "bad.cfg", /bad\.cfg:1:9: error: /],
    [
      "--in Gi0/0 udp 10.1.1.5:1 1.2.3.4:2",
      "unbound.cfg",
      /unbound\.cfg:3:2: error: .*NOPE.*\n {3}ip inspect NOPE in\n {3}\^/,
    ],
    [
      "--in Gi0/0 --inside 10.0.0.0/8 udp 10.1.1.5:1 1.2.3.4:2",
      "hours.cfg",
      /^error: cannot tell the inside interface/,
    ],
  ])("%s with %s", async (line, config, message) => {
    const { code, out, err } = await explained(line, config);
    expect({ code, out }).toEqual({ code: EXIT.badInput, out: "" });
    expect(err).toMatch(message);
  });
});
