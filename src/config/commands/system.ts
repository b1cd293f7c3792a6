/** Commands on the box as a whole: version, services, names, web server, and what has no meaning on this firewall. */
import { command, note, notesOf, refused, type Row } from "../command.js";
import type { TimestampFormat } from "../model.js";

const showTimestamps = (kind: "debug" | "log", format: TimestampFormat | undefined): string[] => {
  if (!format) return [];
  const words = [`service timestamps ${kind} ${format.kind}`];
  if (format.msec) words.push("msec");
  if (format.localtime) words.push("localtime");
  if (format.year) words.push("year");
  return [words.join(" ")];
};

const timestampsOf = (a: {
  datetime?: true;
  msec?: true;
  localtime?: true;
  year?: true;
}): TimestampFormat => ({
  kind: a.datetime ? "datetime" : "uptime",
  msec: a.msec ?? false,
  localtime: a.localtime ?? false,
  year: a.year ?? false,
});

const TIMESTAMPS = "(<uptime> | <datetime> { <msec> | <localtime> | <year> })";

/** `version` to the boot markers. */
export const HEAD: readonly Row[] = [
  command({
    mode: "global",
    syntax: "version <version:word>",
    help: "version of the software that wrote the file",
    example: "version 12.4",
    set: (config, a) => {
      config.version = a.version;
    },
    unset: (config) => {
      config.version = undefined;
    },
    show: (config) => (config.version === undefined ? [] : [`version ${config.version}`]),
  }),
  command({
    mode: "global",
    syntax: `service timestamps debug ${TIMESTAMPS}`,
    help: "time stamps of debug lines",
    example: "service timestamps debug datetime msec",
    set: (config, a) => {
      config.timestamps.debug = timestampsOf(a);
    },
    unset: (config) => {
      config.timestamps.debug = undefined;
    },
    show: (config) => showTimestamps("debug", config.timestamps.debug),
  }),
  command({
    mode: "global",
    syntax: `service timestamps log ${TIMESTAMPS}`,
    help: "time stamps of log lines",
    example: "service timestamps log datetime msec localtime year",
    set: (config, a) => {
      config.timestamps.log = timestampsOf(a);
    },
    unset: (config) => {
      config.timestamps.log = undefined;
    },
    show: (config) => showTimestamps("log", config.timestamps.log),
  }),
  note({
    mode: "global",
    syntax: "service password-encryption",
    help: "hide passwords in the running configuration",
    example: "service password-encryption",
    note: "passwords are written as they were read",
  }),
  note({
    mode: "global",
    syntax:
      "service (tcp-keepalives-in | tcp-keepalives-out | sequence-numbers | pad | nagle | dhcp | config | linenumber)",
    help: "services of the box itself",
    example: "service tcp-keepalives-in",
    note: "a service that this firewall does not have",
  }),
];

export const HOSTNAME: readonly Row[] = [
  command({
    mode: "global",
    syntax: "hostname <name:hostname>",
    help: "name of this firewall in prompts and logs",
    example: "hostname RouterA",
    set: (config, a) => {
      config.hostname = a.name;
    },
    unset: (config) => {
      config.hostname = undefined;
    },
    show: (config) => (config.hostname === undefined ? [] : [`hostname ${config.hostname}`]),
  }),
];

const noted = notesOf("global");

export const BOOT: readonly Row[] = [
  noted(
    "boot-start-marker",
    "boot-start-marker",
    "start of the boot commands",
    "it marks a place in the file",
  ),
  noted(
    "boot system <text:line>",
    "boot system flash:image.bin",
    "image to boot",
    "there is no image to boot",
  ),
  noted("boot-end-marker", "boot-end-marker", "end of the boot commands", "it marks a place in the file"),
];

/** Secrets, users and clocks. */
export const SYSTEM: readonly Row[] = [
  noted(
    "enable (secret | password) <text:line>",
    "enable secret 5 $1$abcd$abcdefghijklmnopqrstuv",
    "password of the privileged mode",
    "there is no login to this firewall",
  ),
  noted("aaa new-model", "no aaa new-model", "authentication service", "there is no login to this firewall"),
  noted("resource policy", "resource policy", "resource policy", "there is no resource manager"),
  noted("memory-size iomem <percent:0-100>", "memory-size iomem 10", "I/O memory", "memory is not divided"),
  noted(
    "network-clock-participate (slot | wic | aim) <slot:0-255>",
    "no network-clock-participate slot 1",
    "TDM clock of a slot",
    "there is no TDM clock",
  ),
  noted("clock (timezone | summer-time) <text:line>", "clock timezone CET 1", "time zone", "logs are in UTC"),
  noted("dot11 syslog", "dot11 syslog", "wireless log lines", "there is no wireless interface"),
];

/** IP services of the box that do not touch the packets it forwards. */
export const IP: readonly Row[] = [
  command({
    mode: "global",
    syntax: "ip source-route",
    help: "forward packets with source route options",
    example: "no ip source-route",
    set: (config) => {
      config.sourceRoute = true;
    },
    unset: (config) => {
      config.sourceRoute = false;
    },
    reset: (config) => {
      config.sourceRoute = undefined;
    },
    show: (config) => {
      if (config.sourceRoute === undefined) return [];
      return [config.sourceRoute ? "ip source-route" : "no ip source-route"];
    },
  }),
  command({
    mode: "global",
    syntax: "ip options <action=drop|ignore>",
    help: "drop packets with IP options, or pass them as they are",
    example: "ip options drop",
    set: (config, a) => {
      config.ipOptions = a.action;
    },
    remove: (config, a) => {
      if (config.ipOptions === a.action) config.ipOptions = undefined;
    },
    show: (config) => (config.ipOptions === undefined ? [] : [`ip options ${config.ipOptions}`]),
  }),
  noted("ip subnet-zero", "ip subnet-zero", "use of subnet zero", "every subnet may be used"),
  noted("ip classless", "ip classless", "forwarding without address classes", "forwarding knows no classes"),
  noted("ip cef", "ip cef", "fast switching", "there is one way to switch packets"),
  noted("ipv6 cef", "ipv6 cef", "fast switching of IPv6", "there is one way to switch packets"),
  noted("ip gratuitous-arps", "no ip gratuitous-arps", "gratuitous ARP of PPP peers", "there is no PPP"),
  noted("ip bootp server", "no ip bootp server", "BOOTP server", "there is no BOOTP server"),
  noted("ip finger", "no ip finger", "finger server", "there is no finger server"),
  noted(
    "ip domain (lookup | name <name:word> | list <list:word>)",
    "no ip domain lookup",
    "names of hosts",
    "names are not looked up",
  ),
  noted("ip domain-lookup", "no ip domain-lookup", "names of hosts", "names are not looked up"),
  noted("ip domain-name <name:word>", "ip domain-name example.com", "domain of this host", "it is not used"),
  noted(
    "ip name-server <servers:line>",
    "ip name-server 192.0.2.53",
    "DNS server",
    "names are not looked up",
  ),
  noted("ip host <text:line>", "ip host printer 10.0.0.9", "name of a host", "names are not looked up"),
  noted("ip ssh <text:line>", "ip ssh version 2", "SSH server", "there is no SSH server"),
  noted(
    "ipv6 unicast-routing",
    "ipv6 unicast-routing",
    "forwarding of IPv6",
    "IPv6 is forwarded wherever it is configured",
  ),
  refused({
    mode: "global",
    syntax: "ip tcp intercept <text:line>",
    help: "TCP intercept",
    example: "ip tcp intercept list 101",
    refuse: "TCP intercept answers for servers; use `ip inspect tcp max-incomplete host`",
  }),
];

export const VOICE: readonly Row[] = [
  note({
    mode: "global",
    syntax: "voice-card <slot:0-255>",
    help: "voice card",
    example: "voice-card 0",
    note: "there is no voice card",
    enters: "voice-card",
  }),
  note({
    mode: "voice-card",
    syntax: "dspfarm",
    help: "digital signal processors",
    example: "no dspfarm",
    note: "there is no voice card",
  }),
];

export const USERS: readonly Row[] = [
  noted(
    "username <name:word> <text:line>",
    "username admin privilege 15 secret 5 $1$abcd$abcdefghijklmnopqrstuv",
    "user of this box",
    "there is no login to this firewall",
  ),
];

export const HTTP: readonly Row[] = [
  command({
    mode: "global",
    syntax: "ip http server",
    help: "management over HTTP in clear",
    example: "ip http server",
    set: (config, _a, { at }) => {
      config.httpServer = { at, enabled: true };
    },
    unset: (config, _a, { at }) => {
      config.httpServer = { at, enabled: false };
    },
    reset: (config) => {
      config.httpServer = undefined;
    },
    show: ({ httpServer }) =>
      httpServer === undefined ? [] : [httpServer.enabled ? "ip http server" : "no ip http server"],
  }),
  noted(
    "ip http secure-server",
    "no ip http secure-server",
    "management over HTTPS",
    "there is no web server",
  ),
  noted(
    "ip http (authentication | access-class | timeout-policy | path | port) <text:line>",
    "ip http authentication local",
    "options of the web server",
    "there is no web server",
  ),
  noted(
    "ip forward-protocol <text:line>",
    "ip forward-protocol nd",
    "UDP helpers",
    "broadcasts are not forwarded",
  ),
];

/** What stands at the end of a running configuration. */
export const TAIL: readonly Row[] = [
  noted("ip sla responder", "ip sla responder", "answers to IP SLA probes", "probes are not answered"),
  noted("snmp-server <text:line>", "snmp-server location rack 4", "SNMP agent", "there is no SNMP agent"),
  note({
    mode: "global",
    syntax: "control-plane",
    help: "traffic to this firewall itself",
    example: "control-plane",
    note: "the block is empty",
    enters: "control-plane",
  }),
  refused({
    mode: "control-plane",
    syntax: "service-policy <text:line>",
    help: "policing of traffic to this firewall",
    example: "service-policy input COPP",
    refuse: "control-plane policing is not done here",
  }),
  note({
    mode: "global",
    syntax: "banner <kind=motd|login|exec|incoming> <text:line>",
    help: "text at login",
    example: "banner motd ^CNo trespassing^C",
    note: "there is no login to this firewall",
    delimited: true,
  }),
];

export const CLOCKS: readonly Row[] = [
  noted(
    "scheduler allocate <low:0-60000> <high:0-60000>",
    "scheduler allocate 20000 1000",
    "CPU shares",
    "there is no scheduler",
  ),
  noted("ntp <text:line>", "ntp server 192.0.2.123", "network time", "time comes from the host"),
  noted("cdp run", "no cdp run", "Cisco Discovery Protocol", "CDP is not spoken"),
];
