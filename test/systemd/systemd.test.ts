/** The unit against systemd's own checks, and notifications against a socket that somebody else reads. */
import { spawnSync } from "node:child_process";
import { copyFileSync, readFileSync } from "node:fs";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { isProblem } from "../../src/io/io.js";
import { type Notifier, openNotifier } from "../../src/io/systemd.js";
import { lacking, run, scratchFolder } from "../capture/tools.js";
import { Program, until } from "../log/live.js";

const UNIT = new URL("../../systemd/twinwall@.service", import.meta.url).pathname;
const folder = scratchFolder();
const cleanup: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanup.splice(0).reverse()) await step();
});
afterAll(() => folder.remove());

describe.skipIf(lacking("systemd-analyze"))("the unit", () => {
  test("is one that systemd understands", () => {
    const path = folder.path("twinwall@.service");
    copyFileSync(UNIT, path);
    const { status, stderr } = spawnSync("systemd-analyze", ["verify", folder.path("twinwall@a.service")], {
      encoding: "utf8",
    });
    expect([status, stderr]).toEqual([0, ""]);
  });

  test("leaves a service nothing that it does not need", () => {
    const { stdout } = run("systemd-analyze", "security", "--offline=true", "--no-pager", UNIT);
    const exposure = Number(/exposure level for \S+: (\d+\.\d+)/.exec(stdout)![1]);
    expect(exposure).toBeLessThan(3);
    const unit = readFileSync(UNIT, "utf8");
    const of = (name: string): string[] => new RegExp(`^${name}=(.*)$`, "m").exec(unit)![1]!.split(" ");
    expect(of("CapabilityBoundingSet")).toEqual(["CAP_NET_RAW", "CAP_NET_ADMIN", "CAP_BPF"]);
    expect(of("AmbientCapabilities")).toEqual(of("CapabilityBoundingSet"));
    expect(of("RestrictAddressFamilies")).toEqual([
      ...["AF_PACKET", "AF_XDP", "AF_NETLINK", "AF_UNIX", "AF_INET", "AF_INET6"],
    ]);
  });
});

/** Prints each datagram that comes as JSON. */
const RECEIVER = `
import json, socket, sys
path = sys.argv[1]
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("\\0" + path[1:] if path.startswith("@") else path)
print("listening", flush=True)
while True:
    print(json.dumps(s.recv(4096).decode()), flush=True)
`;

async function opened(environment: Record<string, string>, processId = 42): Promise<Notifier> {
  const notifier = await openNotifier(environment, processId);
  if (isProblem(notifier)) throw new Error(notifier.problem);
  if (notifier.value === undefined) throw new Error("nobody wants to be notified");
  const { value } = notifier;
  cleanup.push(() => value.close());
  return value;
}

describe("notifications", () => {
  test.skipIf(lacking("python3")).each([
    ["a path", () => folder.path("notify")],
    ["an abstract address", () => `@twinwall-test-${process.pid}`],
  ])("to %s", async (_, addressOf) => {
    const path = addressOf();
    const receiver = new Program("python3", ["-c", RECEIVER, path]);
    cleanup.push(() => receiver.end("SIGKILL"));
    await until("the receiver", () => receiver.output.includes("listening"));
    const notifier = await opened({ NOTIFY_SOCKET: path, WATCHDOG_USEC: "10000000", WATCHDOG_PID: "42" });
    expect(notifier.aliveEveryMs).toBe(5000);
    notifier.ready("active\nREADY=0");
    notifier.alive();
    notifier.alive("standby");
    notifier.stopping();
    const lines = (): string[] => receiver.output.trimEnd().split("\n").slice(1);
    await until("four messages", () => lines().length === 4);
    expect(lines().map((line) => JSON.parse(line))).toEqual([
      "READY=1\nSTATUS=active READY=0",
      "WATCHDOG=1",
      "WATCHDOG=1\nSTATUS=standby",
      "STOPPING=1",
    ]);
  });

  test("nobody listens: nothing happens", async () => {
    const notifier = await opened({ NOTIFY_SOCKET: folder.path("nobody") });
    expect(() => notifier.ready("x")).not.toThrow();
    expect(notifier.aliveEveryMs).toBeUndefined();
  });

  test("a watchdog of another process is none", async () => {
    const notifier = await opened({
      NOTIFY_SOCKET: folder.path("nobody"),
      WATCHDOG_USEC: "1000",
      WATCHDOG_PID: "1",
    });
    expect(notifier.aliveEveryMs).toBeUndefined();
  });

  test("not under systemd, or with an address that is none", async () => {
    expect(await openNotifier({}, 42)).toEqual({ value: undefined });
    for (const path of ["relative", "@", `/${"x".repeat(107)}`])
      expect(await openNotifier({ NOTIFY_SOCKET: path }, 42)).toHaveProperty("problem");
  });
});
