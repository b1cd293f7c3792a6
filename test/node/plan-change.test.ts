/** What another configuration does is said before it is done. */
import { expect, test } from "vitest";
import { parse } from "../../src/config/parse.js";
import { planChange, type Process } from "../../src/node/plan-change.js";
import { configText, PLAIN } from "../sim/variant.js";

const TEXT = configText("A", PLAIN);
const configOf = (text: string) => parse(text).config;

/** `effect: text` of each change that an edit of the text is. */
function plan(edit: (text: string) => string, process?: Process): string[] {
  return planChange(configOf(TEXT), configOf(edit(TEXT)), process).map(
    ({ effect, text }) => `${effect}: ${text}`,
  );
}

const swap = (from: string | RegExp, to: string) => (text: string) => {
  expect(text).toMatch(from);
  return text.replace(from, to);
};

const GROUP = "HSRP group 1 on GigabitEthernet0/0";
const HOT = "the standby is not hot until both boxes have the same";
const WITHIN = "; the other box must have it within 0.35 s, or both become active";

test.each<[string, (text: string) => string, string[]]>([
  ["nothing", (text) => text, []],
  ["a description", swap("ip address 10.1.1.2", "description inside\n ip address 10.1.1.2"), []],
  [
    "priority",
    swap("standby 1 priority 100", "standby 1 priority 90"),
    [`changes: ${GROUP} changes in place: priority`],
  ],
  [
    "timers and MAC address",
    swap("standby 1 timers msec 100 msec 350", "standby 1 timers 1 3\n standby 1 mac-address 0200.0000.0001"),
    [`changes: ${GROUP} changes in place: virtual MAC address, timers`],
  ],
  [
    "virtual address",
    swap("standby 1 ip 10.1.1.1", "standby 1 ip 10.1.1.9"),
    [`changes: ${GROUP} changes in place: virtual address${WITHIN}`],
  ],
  [
    "key",
    swap("key-string Sim-Key", "key-string Other-Key"),
    [`changes: ${GROUP} changes in place: authentication${WITHIN}`],
  ],
  [
    "another address of the interface",
    swap("ip address 10.1.1.2", "ip address 10.1.1.8"),
    [`restarts: ${GROUP} resigns and restarts: another address of the interface`],
  ],
  ["version", swap(" standby version 2\n", ""), [`restarts: ${GROUP} resigns and restarts: another version`]],
  [
    "group number",
    (text) => text.replaceAll("standby 1 ", "standby 9 "),
    ["starts: HSRP group 9 on GigabitEthernet0/0 starts in 0 s", `stops: ${GROUP} resigns and stops`],
  ],
  [
    "no virtual address",
    swap(" standby 1 ip 10.1.1.1\n", ""),
    [`stops: ${GROUP} resigns and stops: Disabled`],
  ],
  [
    "scheme",
    swap("scheme standby INSIDE", "scheme standby OUTSIDE"),
    ["waits: failover follows group OUTSIDE in place of INSIDE; no reload, but both boxes must have it"],
  ],
  [
    "no scheme",
    swap(" scheme standby INSIDE\n", ""),
    [
      // Preemption waits for the sessions in a pair only.
      `changes: ${GROUP} changes in place: preemption`,
      "changes: HSRP group 2 on GigabitEthernet0/1 changes in place: preemption",
      "stops: failover stops: the box forwards whatever the other one does",
    ],
  ],
  [
    "association",
    swap("assoc-retransmit 2", "assoc-retransmit 3"),
    ["restarts: association 1 restarts: the sessions are copied anew when both boxes have the same"],
  ],
  [
    "shared key",
    swap("Simulated-Key", "Another-Key"),
    ["restarts: association 1 restarts: the sessions are copied anew when both boxes have the same"],
  ],
  ["shutdown", swap("no shutdown", "shutdown"), ["stops: association 1 stops: no sessions are copied"]],
  ["access list", swap("eq telnet", "eq 24"), [`waits: access lists change: ${HOT}`]],
  ["route", swap("203.0.113.254", "203.0.113.253"), [`waits: static routes change: ${HOT}`]],
  [
    "interval",
    swap("update msec 100", "update msec 50"),
    ["changes: counters are told every 50 ms in place of 100 ms"],
  ],
])("%s", (_, edit, expected) => {
  expect(plan(edit)).toEqual(expected);
});

test("failover that was not there starts", () => {
  const alone = configOf(TEXT.replace(" scheme standby INSIDE\n", ""));
  expect(planChange(alone, configOf(TEXT)).map(({ text }) => text)).toContain(
    "failover starts: the box forwards when group INSIDE is Active here",
  );
});

test("what the process cannot do is refused", () => {
  const attached = new Set([0, 1, 2, 3].map((n) => `GigabitEthernet0/${n}`));
  const extra = (text: string) =>
    `${text}\ninterface GigabitEthernet0/1.20\n encapsulation dot1Q 20\n ip address 172.16.1.1 255.255.255.0\n` +
    "interface GigabitEthernet0/9\n ip address 172.16.9.1 255.255.255.0\n";
  const refused = (rulesMax: number) =>
    plan(extra, { attached, rulesMax }).filter((line) => line.startsWith("refused"));
  const bare = "refused: GigabitEthernet0/9 has an address but no device: it takes a restart";
  expect(refused(4)).toEqual([bare]);
  expect(refused(3)).toEqual([bare, "refused: 4 entries of access lists, room for 3: it takes a restart"]);
  const wide = new Set([...attached, "GigabitEthernet0/8"]);
  expect(plan((text) => text, { attached: wide, rulesMax: 4 })).toEqual([
    "refused: GigabitEthernet0/8 has a device, and cannot be taken away: it takes a restart",
  ]);
});
