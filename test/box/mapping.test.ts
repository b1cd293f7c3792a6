/** Which device carries which interface, and what a user gets wrong about it. */
import { describe, expect, test } from "vitest";
import { parse } from "../../src/config/parse.js";
import { type Attachment, planMapping } from "../../src/live/mapping.js";

const CONFIG = `
interface GigabitEthernet0/0
 ip address 10.0.0.1 255.255.255.0
interface GigabitEthernet0/0.10
 encapsulation dot1Q 10
 ip address 10.0.10.1 255.255.255.0
interface GigabitEthernet0/1
 ip address 203.0.113.1 255.255.255.0
interface GigabitEthernet0/2
 ip address 192.0.2.1 255.255.255.0
 shutdown
interface FastEthernet1/0
 no ip address
`;

const plan = (...attachments: [string, string][]) =>
  planMapping(
    parse(CONFIG, { file: "a.cfg" }).config,
    attachments.map(([name, device]): Attachment => ({ interface: name, device })),
  );

test("a device carries an interface and its subinterfaces", () => {
  expect(plan(["Gi0/0", "eth0"], ["gigabitethernet 0/1", "eth1"])).toEqual({
    ports: [
      { number: 0, device: "eth0", interface: "GigabitEthernet0/0" },
      { number: 1, device: "eth1", interface: "GigabitEthernet0/1" },
    ],
    interfaces: [
      { name: "GigabitEthernet0/0", port: 0, vlan: 0 },
      { name: "GigabitEthernet0/0.10", port: 0, vlan: 10 },
      { name: "GigabitEthernet0/1", port: 1, vlan: 0 },
    ],
    notes: [
      "GigabitEthernet0/2 has no device: nothing goes in or out by it",
      "FastEthernet1/0 has no device: nothing goes in or out by it",
    ],
  });
});

test("the native VLAN of a device has no tag", () => {
  const text = CONFIG.replace("encapsulation dot1Q 10\n", "encapsulation dot1Q 10 native\n");
  const planned = planMapping(parse(text, { file: "a.cfg" }).config, [
    { interface: "Gi0/0", device: "eth0" },
    { interface: "Gi0/1", device: "eth1" },
  ]);
  expect("interfaces" in planned && planned.interfaces[1]).toEqual({
    name: "GigabitEthernet0/0.10",
    port: 0,
    vlan: 0,
  });
});

describe("what is refused", () => {
  const problems = (...attachments: [string, string][]): readonly string[] => {
    const planned = plan(["Gi0/0", "eth0"], ["Gi0/1", "eth1"], ...attachments);
    return "problems" in planned ? planned.problems : [];
  };

  test.each<[string, [string, string], RegExp]>([
    ["an interface that does not exist", ["Gi0/7", "eth2"], /no interface "GigabitEthernet0\/7"/],
    ["a subinterface", ["Gi0/0.10", "eth2"], /map GigabitEthernet0\/0, which carries it/],
    ["an interface twice", ["Gi0/0", "eth2"], /GigabitEthernet0\/0 has a device already/],
    ["a device twice", ["Gi0/2", "eth1"], /eth1 carries GigabitEthernet0\/1 already/],
    ["a name that is too long", ["Gi0/2", "a-device-name-of-17"], /is no name of a device/],
    ["a name with a slash", ["Gi0/2", "../eth2"], /is no name of a device/],
  ])("%s", (_what, attachment, problem) => {
    expect(problems(attachment)).toEqual([expect.stringMatching(problem)]);
  });

  test("an interface with an address and no device, with its line", () => {
    const planned = plan(["Gi0/0", "eth0"]);
    expect(planned).toEqual({
      problems: [
        expect.stringMatching(/^a\.cfg:7: GigabitEthernet0\/1 has an address but no device; add --map/),
      ],
    });
  });
});
