import { describe, expect, test } from "vitest";
import { type Dataplane, SnapshotError } from "../../src/index.js";
import { FLAG } from "../support/frames.js";
import {
  back,
  CLIENT,
  datagram,
  established,
  Firewall,
  fragments,
  out,
  SERVER,
  segment,
} from "./firewall.js";
import { OFFICE, SEED } from "./support.js";

/** Everything that can be seen of a firewall. */
const view = (dataplane: Dataplane) => ({
  counters: dataplane.counters(),
  rules: dataplane.rules(),
  sessions: [...dataplane.sessions()],
  interfaces: dataplane.interfaces,
  nowMs: dataplane.nowMs,
});

describe("a snapshot", () => {
  test("goes back to the moment at which it was taken", () => {
    const firewall = established();
    firewall.send(1, fragments(5, 2000, [800])[0]!);
    const snapshot = firewall.dataplane.snapshot();
    const before = view(firewall.dataplane);
    firewall.one(1, out(FLAG.rst, { seq: 1001 }));
    firewall.one(2, segment(SERVER, 4, "10.0.0.9", 80, FLAG.syn));
    firewall.dataplane.replacePolicy("interface GigabitEthernet0/7\n");
    firewall.dataplane.flush(9_000_000);
    expect(view(firewall.dataplane)).not.toEqual(before);
    firewall.dataplane.restore(snapshot);
    expect(view(firewall.dataplane)).toEqual(before);
    expect(Buffer.compare(firewall.dataplane.snapshot(), snapshot)).toBe(0);
    expect(firewall.one(2, back(FLAG.ack, { seq: 9001, ack: 1001 }))).toBe("pass established 2>1");
    expect(firewall.send(1, fragments(5, 2000, [800])[1]!)).toEqual([
      "pass new_session 1>2",
      "pass new_session 1>2",
    ]);
  });

  test("is taken over by another instance, whatever its own seed and configuration", () => {
    const firewall = established({ inside: ["10.0.0.0/8"], checksums: false });
    const other = new Firewall({ config: "interface Loopback0\n", seed: SEED.map((byte) => byte ^ 255) });
    other.dataplane.restore(firewall.dataplane.snapshot());
    other.nowMs = firewall.nowMs;
    expect(view(other.dataplane)).toEqual(view(firewall.dataplane));
    expect(other.one(2, back(FLAG.ack, { seq: 9001, ack: 1001 }))).toBe("pass established 2>1");
    const wrong = datagram(CLIENT, 5000, SERVER, 54);
    wrong[wrong.length - 1]! ^= 1;
    expect(other.one(1, wrong)).toBe("pass new_session 1>2");
    // The options of the snapshot hold for later policies, too.
    other.dataplane.replacePolicy(OFFICE);
    expect(other.one(0, segment("10.77.0.1", 4, "9.9.9.9", 80, FLAG.syn))).toBe("pass new_session 1>2");
  });

  test("of another capacity is refused", () => {
    const { dataplane } = established();
    for (const [capacity, why] of [
      [{ sessions: 2048 }, "capacity.sessions 1024, this firewall has 2048"],
      [{ batch: 32 }, "capacity.batch 64, this firewall has 32"],
    ] as const) {
      const other = new Firewall({ capacity });
      expect(() => other.dataplane.restore(dataplane.snapshot())).toThrow(why);
      expect(() => other.dataplane.restore(dataplane.snapshot())).toThrow(SnapshotError);
    }
  });

  test("cut short or damaged it is refused, and nothing changes", () => {
    const firewall = established();
    const { dataplane } = firewall;
    const snapshot = dataplane.snapshot();
    const before = view(dataplane);
    const json = new DataView(snapshot.buffer).getUint32(4, true);
    const bad: Uint8Array[] = [
      new Uint8Array(0),
      snapshot.subarray(0, 7),
      snapshot.subarray(0, 8),
      snapshot.subarray(0, 8 + json - 1),
      snapshot.subarray(0, 8 + json),
      snapshot.subarray(0, snapshot.length - 1),
      Uint8Array.from([...snapshot.subarray(0, 8 + json), 0]),
    ];
    for (const at of [0, 4, 8, 9, 8 + json - 1]) {
      const damaged = snapshot.slice();
      damaged[at]! ^= 0x55;
      bad.push(damaged);
    }
    for (const bytes of bad) expect(() => dataplane.restore(bytes)).toThrow(SnapshotError);
    expect(view(dataplane)).toEqual(before);
  });

  test("whose policy is not that of its configuration is refused", () => {
    const { dataplane } = established();
    const snapshot = dataplane.snapshot();
    const text = Buffer.from(snapshot.buffer);
    const at = text.indexOf("10.0.0.80");
    expect(at).toBeGreaterThan(0);
    text.write("10.0.0.81", at);
    expect(() => dataplane.restore(snapshot)).toThrow(
      "the policy in the snapshot is not that of its configuration",
    );
  });
});
