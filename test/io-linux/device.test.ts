/** Devices as the kernel shows them, taken from it and given back; what is wrong is said in words. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { isSkipped, Lab, type Wire } from "./lab.js";

describe.skipIf(isSkipped)("devices of the box", () => {
  let lab: Lab;
  let folder: string;
  let stateFile: string;
  let wire: Wire | undefined;
  beforeAll(() => {
    lab = new Lab();
    folder = mkdtempSync(join(tmpdir(), "twinwall-"));
    stateFile = join(folder, "run", "devices.json");
    for (const [device, net] of [
      ["in0", 1],
      ["out0", 2],
    ] as const) {
      lab.run("box", "ip", "addr", "add", `192.0.2.${net}/32`, "peer", "192.0.2.9/32", "dev", device);
      lab.run(
        "box",
        "ip",
        "addr",
        "add",
        `10.${net}.0.1/24`,
        "broadcast",
        "+",
        "dev",
        device,
        "label",
        `${device}:a`,
      );
      lab.run("box", "ip", "addr", "add", `fd0${net}::1/64`, "dev", device, "nodad");
      lab.run("box", "ip", "route", "add", `172.16.${net}.0/24`, "via", `10.${net}.0.7`, "metric", "5");
      lab.run("box", "ip", "-6", "route", "add", `fd1${net}::/64`, "via", `fd0${net}::7`);
      lab.run("box", "ip", "route", "add", "198.51.100.0/24", "via", `10.${net}.0.8`, "table", `10${net}`);
      lab.run("box", "sysctl", "-q", "-w", `net.ipv4.conf.${device}.forwarding=1`);
    }
  });
  afterEach(async () => {
    await wire?.kill();
    wire = undefined;
  });
  afterAll(() => {
    lab.close();
    rmSync(folder, { recursive: true });
  });

  /** Everything about the network of the box that is to be the same again. */
  function state(): string {
    const sorted = (...words: string[]): string =>
      lab
        .run("box", ...words)
        .split("\n")
        .sort()
        .join("\n");
    return [
      sorted("ip", "-o", "addr", "show").replace(/tentative | +(?=valid_lft)/g, ""),
      sorted("ip", "-4", "route", "show", "table", "all"),
      sorted("ip", "-6", "route", "show", "table", "all"),
      sorted(
        "sysctl",
        "net.ipv4.conf.in0.forwarding",
        "net.ipv4.conf.in0.arp_ignore",
        "net.ipv4.conf.out0.rp_filter",
      ),
      lab.run("box", "sysctl", "net.ipv6.conf.out0.disable_ipv6"),
    ].join("\n");
  }

  const addresses = (device: string): string =>
    lab.run("box", "ip", "-o", "addr", "show", "dev", device).replaceAll(" tentative", "");

  test("are taken from the kernel, and given back at an orderly end", async () => {
    const before = state();
    wire = await lab.wire({ stateFile });
    expect(wire.said).toContain("in0: address 10.1.0.1/24 taken from the kernel");
    for (const device of ["in0", "out0"]) expect(addresses(device)).toBe("");
    expect(lab.run("box", "sysctl", "-n", "net.ipv4.conf.in0.forwarding")).toBe("0\n");
    expect(lab.run("box", "ip", "route", "show", "table", "101")).toBe("");
    await wire.stop();
    expect(state()).toBe(before);
    expect(existsSync(stateFile)).toBe(false);
  });

  test("are given back by the next start after a kill, as the first run found them", async () => {
    const before = state();
    for (let kills = 0; kills < 2; kills++) {
      wire = await lab.wire({ stateFile });
      await wire.kill();
      for (const device of ["in0", "out0"]) expect(addresses(device)).toBe("");
    }
    wire = await lab.wire({ stateFile });
    await wire.stop();
    expect(state()).toBe(before);
  });

  test("are given back when they are not mapped any more", async () => {
    const before = addresses("out0");
    wire = await lab.wire({ stateFile });
    await wire.kill();
    wire = await lab.wire({ stateFile, devices: ["in0"] });
    expect(addresses("out0")).toBe(before);
    expect(wire.said).toContainEqual(expect.stringContaining("out0: put back"));
    await wire.stop();
  });

  test("are other devices when they have been made anew", async () => {
    wire = await lab.wire({ stateFile });
    await wire.kill();
    const recorded = JSON.parse(readFileSync(stateFile, "utf8")) as {
      devices: Record<string, { index: number }>;
    };
    recorded.devices.out0!.index += 1000;
    writeFileSync(stateFile, JSON.stringify(recorded));
    wire = await lab.wire({ stateFile });
    await wire.stop();
    expect(addresses("out0")).not.toContain("10.2.0.1");
    expect(addresses("in0")).toContain("10.1.0.1");
  });

  test("a damaged record is said, and nothing is changed", async () => {
    const before = addresses("in0");
    writeFileSync(stateFile, "{");
    await expect(lab.wire({ stateFile })).rejects.toThrow("devices.json is damaged");
    expect(addresses("in0")).toBe(before);
    rmSync(stateFile);
  });

  test("receive for further addresses as long as they are asked to", async () => {
    wire = await lab.wire({ devices: ["in0", "out0"], macs: ["0100.5e00.0002", "0000.0c07.ac01"] });
    expect(lab.run("box", "ip", "maddr", "show", "dev", "in0")).toContain("01:00:5e:00:00:02");
    await wire.kill();
    wire = undefined;
    expect(lab.run("box", "ip", "maddr", "show", "dev", "in0")).not.toContain("01:00:5e:00:00:02 users");
  });

  test("say when the other end goes away and comes back", async () => {
    wire = await lab.wire({ watchesLinks: true });
    lab.run("outside", "ip", "link", "set", "eth0", "down");
    const downMs = Date.now();
    const down = (await wire.line()) as { atMs: number };
    expect(down).toMatchObject({ device: "out0", isUp: false });
    console.log(`a lost carrier was noticed within ${Math.max(0, down.atMs - downMs)} ms of the command`);
    expect(down.atMs - downMs).toBeLessThan(100);
    lab.run("outside", "ip", "link", "set", "eth0", "up");
    expect(await wire.line()).toMatchObject({ device: "out0", isUp: true });
  });

  test("what is missing or too large is said", async () => {
    await expect(lab.wire({ devices: ["in0", "eth7"] })).rejects.toThrow(/eth7: no such device/);
    lab.run("box", "ip", "link", "set", "out0", "mtu", "9000");
    wire = await lab.wire();
    expect(wire.backend).toBe("packet");
    expect(wire.refused).toEqual([
      { backend: "xdp-driver", why: "the MTU of out0 is 9000, a buffer takes 1770" },
    ]);
    await wire.stop();
    await expect(lab.wire({ backend: "xdp-generic" })).rejects.toThrow("the MTU of out0 is 9000");
    lab.run("box", "ip", "link", "set", "out0", "mtu", "1500");
  });

  test("without permission the capabilities are named", () => {
    const script = join(dirname(fileURLToPath(import.meta.url)), "wire.ts");
    const words = ["netns", "exec", lab.name("box"), "setpriv", "--bounding-set=-all", "--inh-caps=-all"];
    const setup = JSON.stringify({ devices: ["in0", "out0"] });
    const { status, stderr } = spawnSync(
      "ip",
      [...words, process.execPath, "--import", "tsx", script, setup],
      {
        encoding: "utf8",
      },
    );
    expect(status).not.toBe(0);
    expect(stderr).toContain("packet: ");
    expect(stderr).toContain("CAP_NET_RAW");
  });
});
