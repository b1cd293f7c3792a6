/** Changes while it runs, routes, and what is shown. */
import { expect, test } from "vitest";
import { formatAddress } from "../../src/ip.js";
import { arp, at, HOST_MAC, INSIDE, OUTSIDE, Rig, surroundings, TEXT, VIRTUAL_MAC } from "./rig.js";

const HOST = "10.0.0.9";
const request = arp({ operation: 1, sender: HOST, target: "10.0.0.1" });
const configure = (rig: Rig, text: string) => rig.input({ kind: "configure", ...surroundings(text) });

test("a change keeps the neighbours that still fit, and forgets the others", () => {
  const rig = Rig.ready()
    .frame(request)
    .frame(arp({ operation: 1, sender: "10.0.0.200", target: "10.0.0.1" }));
  rig.take();
  configure(rig, TEXT.replace("10.0.0.1 255.255.255.0", "10.0.0.1 255.255.255.128"));
  expect(rig.taken("neighbor")).toEqual([
    { kind: "neighbor", interface: INSIDE, address: at("10.0.0.200"), mac: undefined },
  ]);
  expect(rig.stateOf(HOST)).toBe("stale");
  // What is the address of a neighbour becomes an own one.
  configure(rig, TEXT.replace("10.0.0.1 ", `${HOST} `));
  expect(rig.taken("neighbor")).toEqual([
    { kind: "neighbor", interface: INSIDE, address: at(HOST), mac: undefined },
  ]);
  expect(rig.stateOf(HOST)).toBe("own");
});

test("a new address is announced, and one that is gone is not answered for", () => {
  const rig = Rig.ready();
  configure(rig, TEXT.replace("10.0.0.1 ", "10.0.0.5 ")).run(10_000);
  const announced = rig.sent(INSIDE).filter((hex) => hex.endsWith("0a0000050000000000000a000005"));
  expect(announced).toHaveLength(2);
  rig.frame(request);
  expect(rig.sent(INSIDE).filter((hex) => hex.slice(40, 44) === "0002")).toEqual([]);
});

test("the next hops of static routes are resolved from the start, again and again, and kept alive", () => {
  const rig = new Rig().input({ kind: "link", interface: OUTSIDE, isUp: true });
  const requests = () => rig.sent(OUTSIDE).filter((hex) => hex.endsWith("000000000000c00002fe"));
  expect(requests()).toHaveLength(1);
  rig.run(60_000);
  expect(requests().length).toBeGreaterThan(10);
  rig.frame(arp({ operation: 2, sender: "192.0.2.254", target: "192.0.2.1" }), OUTSIDE);
  expect(rig.stateOf("192.0.2.254")).toBe("reachable");
  rig.run(30_000);
  expect(requests()).toHaveLength(1);
  // It no longer answers: the core learns of it, and it is asked for again at once.
  rig.run(3000);
  expect(rig.taken("neighbor").at(-1)).toMatchObject({ address: at("192.0.2.254"), mac: undefined });
  expect(rig.stateOf("192.0.2.254")).toBe("incomplete");
});

test("a datagram goes by a route that is reached by another route", () => {
  const text = `${TEXT}\nip route 203.0.113.128 255.255.255.128 198.51.100.9\n`;
  const rig = Rig.ready({ text });
  rig.frame(arp({ operation: 2, sender: "192.0.2.254", target: "192.0.2.1" }), OUTSIDE).take();
  const datagram = { kind: "datagram", interface: INSIDE, source: at("10.0.0.1"), ttl: 64 } as const;
  rig.input({
    ...datagram,
    destination: at("203.0.113.200"),
    sourcePort: 1,
    port: 2,
    payload: new Uint8Array(1),
  });
  expect(rig.sent(OUTSIDE).map((hex) => hex.slice(0, 24))).toEqual(["0200000000aa020000000002"]);
  rig.input({
    ...datagram,
    destination: at("203.0.113.5"),
    sourcePort: 1,
    port: 2,
    payload: new Uint8Array(1),
  });
  expect([rig.sent().length, rig.counted("no_route")]).toEqual([0, 1]);
});

test("show ip route, show arp", () => {
  const rig = Rig.ready().own().frame(request).run(2500);
  const routes = rig.router
    .routes(4)
    .map(({ code, network, prefixLength, nextHop, interface: on }) =>
      [code, `${formatAddress(network)}/${prefixLength}`, nextHop && formatAddress(nextHop), on]
        .filter(Boolean)
        .join(" "),
    );
  expect(routes).toEqual([
    `C 10.0.0.0/24 ${INSIDE}`,
    `L 10.0.0.1/32 ${INSIDE}`,
    `L 10.0.0.3/32 ${INSIDE}`,
    `C 192.0.2.0/24 ${OUTSIDE}`,
    `L 192.0.2.1/32 ${OUTSIDE}`,
    `S 198.51.100.0/24 192.0.2.254 ${OUTSIDE}`,
    "S 203.0.113.0/24",
  ]);
  const inside = rig.router.neighbors(4, rig.nowMs).filter((each) => each.interface === INSIDE);
  expect(
    inside.map(({ address, mac, state, ageSeconds }) => [formatAddress(address), mac, state, ageSeconds]),
  ).toEqual([
    ["10.0.0.1", "0200.0000.0001", "own", undefined],
    ["10.0.0.3", VIRTUAL_MAC, "own", undefined],
    [HOST, HOST_MAC, "stale", 2],
  ]);
});
