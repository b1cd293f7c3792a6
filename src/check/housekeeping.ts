/**
 * Rules about commands that do not belong on this firewall, and about the way into it.
 */
import type { Config, Diagnostic } from "../config/model.js";
import type { Draft, Finding } from "./finding.js";

/** The commands of the zone-based firewall; stateful failover is for Classic Firewall only. */
const ZONE_COMMANDS = [
  /^zone\b/,
  /^zone-member\b/,
  /^zone-pair\b/,
  /^class-map\s+type\s+inspect\b/,
  /^policy-map\s+type\s+inspect\b/,
  /^parameter-map\s+type\s+inspect\b/,
  /^service-policy\s+type\s+inspect\b/,
];

function isZoneCommand(line: string): boolean {
  const text = line.trim().toLowerCase();
  return ZONE_COMMANDS.some((pattern) => pattern.test(text));
}

function zone(line: string): { message: string; mend: string } {
  return {
    message: `"${line.trim()}" belongs to the zone-based firewall, which has no stateful failover`,
    mend: "inspect with ip inspect on the interfaces, and remove the zones",
  };
}

/** V22. */
export function noZones(config: Config): Draft[] {
  return config.kept.filter(({ text }) => isZoneCommand(text)).map(({ at, text }) => ({ at, ...zone(text) }));
}

/** V22 for the lines that the parser refused, so that they are in no configuration. */
export function zoneRefusals(diagnostics: readonly Diagnostic[]): Finding[] {
  return diagnostics
    .filter(({ severity, text }) => severity === "error" && isZoneCommand(text))
    .map(({ file, line, column, text }) => ({
      id: "V22",
      severity: "error",
      file,
      line,
      column,
      ...zone(text),
    }));
}

/** V25. */
export function everythingIsUnderstood(config: Config): Draft[] {
  const unknown = config.kept.filter((line) => line.why === "unknown" && !isZoneCommand(line.text));
  const [first] = unknown;
  if (first === undefined) return [];
  const others = unknown.length === 1 ? "" : `, the first of ${unknown.length} such lines`;
  return [
    {
      at: first.at,
      message: `"${first.text.trim()}" is not understood and has no effect${others}`,
      mend: "remove these lines, or accept that the firewall ignores them",
    },
  ];
}

/** V27. */
export function managementIsClosed(config: Config): Draft[] {
  const drafts: Draft[] = [];
  if (config.httpServer?.enabled) {
    drafts.push({
      at: config.httpServer.at,
      message: "ip http server: management in clear text",
      mend: "no ip http server",
    });
  }
  for (const line of config.lines) {
    if (line.execTimeoutSeconds === 0) {
      const message = `line ${line.name}: exec-timeout 0 0 leaves an idle session open for ever`;
      drafts.push({ at: line.at, message, mend: `exec-timeout 10 0 on line ${line.name}` });
    }
    if (!line.name.startsWith("vty")) continue;
    const said = config.kept
      .filter((each) => each.block === `line ${line.name}`)
      .map((each) => each.text.trim());
    const mend = `login local with a username, or password, on line ${line.name}`;
    if (said.includes("no login")) {
      drafts.push({ at: line.at, message: `line ${line.name}: no login lets everybody in`, mend });
    } else if (line.login && !line.password && !said.some((text) => /^login\s+\S/.test(text))) {
      drafts.push({
        at: line.at,
        message: `line ${line.name}: login without a password refuses everybody`,
        mend,
      });
    }
  }
  return drafts;
}
