/** `show standby`, its `brief` and its `delay`. */
import { DEFAULTS, type Config } from "../../config/model.js";
import { type HsrpGroupView, REFUSAL_NAMES, REFUSALS, type RouterView } from "../../hsrp/index.js";
import { formatAddress } from "../../ip.js";
import type { StandbyStatistics } from "../backend.js";
import { ago, plural, row, seconds, shortName, text, timer } from "./layout.js";

export function standbyText(views: readonly HsrpGroupView[]): string {
  return text(views.flatMap(groupLines));
}

function groupLines(view: HsrpGroupView): string[] {
  const { virtualAddress } = view;
  const version = view.version === 2 ? " (version 2)" : "";
  const learned = view.isVirtualAddressLearned ? " (learnt)" : "";
  const inUse = view.isVirtualMacInUse ? " (MAC In Use)" : "";
  return [
    `${view.interface} - Group ${view.group}${version}`,
    `  State is ${view.stateText}`,
    `    ${plural(view.stateChanges, "state change")}, last state change ${ago(view.changedAgoMs)}`,
    `  Virtual IP address is ${virtualAddress === undefined ? "unknown" : formatAddress(virtualAddress)}${learned}`,
    ...view.secondaryAddresses.map((address) => `    Secondary virtual IP address ${formatAddress(address)}`),
    `  Active virtual MAC address is ${activeMac(view)}${inUse}`,
    `    Local virtual MAC address is ${view.localVirtualMac} (${macOrigin(view)})`,
    `  Hello time ${timer(view.timers.helloMs)}, hold time ${timer(view.timers.holdMs)}`,
    ...(view.nextHelloInMs === undefined
      ? []
      : [`    Next hello sent in ${seconds(view.nextHelloInMs)} secs`]),
    `  Authentication ${authentication(view)}`,
    `  Preemption ${preemption(view)}`,
    ...(view.preemptsInMs === undefined ? [] : [`    Preempts in ${seconds(view.preemptsInMs)} secs`]),
    ...routerLines("Active", view.active),
    ...routerLines("Standby", view.standby),
    `  Priority ${view.priority} (${priorityOrigin(view)})`,
    ...view.tracks.map(trackLine),
    `  Group name is "${groupName(view)}" (${view.name === undefined ? "default" : "cfgd"})`,
    ...(view.tie.length > 1
      ? [`  Changes roles together with ${view.tie.filter((key) => key !== view.key).join(", ")}`]
      : []),
  ];
}

function activeMac({ active, isVirtualMacInUse, localVirtualMac }: HsrpGroupView): string {
  if (isVirtualMacInUse || active.kind === "neighbor") return localVirtualMac;
  return "unknown";
}

function macOrigin({ localVirtualMacOrigin, version }: HsrpGroupView): string {
  if (localVirtualMacOrigin === "default") return `v${version} default`;
  return localVirtualMacOrigin === "bia" ? "bia" : "cfgd";
}

function authentication({ authentication: by }: HsrpGroupView): string {
  if (by.kind === "text") return `text, string "${by.text}"`;
  return by.chain === undefined ? "MD5, key-string" : `MD5, key-chain "${by.chain}"`;
}

function preemption({ preempt }: HsrpGroupView): string {
  if (preempt === undefined) return "disabled";
  const sync = Number.isFinite(preempt.syncMs) ? `${preempt.syncMs / 1000} secs` : "until synchronised";
  const delays = [
    ...(preempt.minimumMs > 0 ? [`min ${preempt.minimumMs / 1000} secs`] : []),
    ...(preempt.reloadMs > 0 ? [`reload ${preempt.reloadMs / 1000} secs`] : []),
    ...(preempt.syncMs > 0 ? [`sync ${sync}`] : []),
  ];
  return delays.length === 0 ? "enabled" : `enabled, delay ${delays.join(", ")}`;
}

function routerLines(role: string, router: RouterView): string[] {
  if (router.kind !== "neighbor") return [`  ${role} router is ${router.kind}`];
  const { address, priority, mac, expiresInMs } = router;
  const expires = `(expires in ${seconds(expiresInMs)} sec)`;
  return [
    `  ${role} router is ${formatAddress(address)}, priority ${priority} ${expires}`,
    ...(mac === undefined ? [] : [`    MAC address is ${mac}`]),
  ];
}

function priorityOrigin({ configuredPriority }: HsrpGroupView): string {
  const kind = configuredPriority === DEFAULTS.standbyPriority ? "default" : "configured";
  return `${kind} ${configuredPriority}`;
}

function trackLine({ object, isUp, decrement, isShutdown }: HsrpGroupView["tracks"][number]): string {
  const what = /^\d/.test(object) ? `object ${object}` : `interface ${object}`;
  return `    Track ${what} state ${isUp ? "Up" : "Down"} ${isShutdown ? "shutdown" : `decrement ${decrement}`}`;
}

function groupName({ name, interface: on, group }: HsrpGroupView): string {
  return name ?? `hsrp-${shortName(on)}-${group}`;
}

const BRIEF = [11, 3, 4, 0, 7, 15, 15] as const;

export function standbyBrief(views: readonly HsrpGroupView[]): string {
  return text([
    "                     P indicates configured to preempt.",
    "                     |",
    row(BRIEF, ["Interface", "Grp", "Pri", "P", "State", "Active", "Standby", "Virtual IP"]),
    ...views.map(briefLine),
  ]);
}

function briefLine(view: HsrpGroupView): string {
  const { virtualAddress, preempt } = view;
  return row(BRIEF, [
    shortName(view.interface),
    String(view.group),
    String(view.priority),
    preempt === undefined ? " " : "P",
    view.stateText.split(" ")[0]!,
    routerName(view.active),
    routerName(view.standby),
    virtualAddress === undefined ? "unknown" : formatAddress(virtualAddress),
  ]);
}

function routerName(router: RouterView): string {
  return router.kind === "neighbor" ? formatAddress(router.address) : router.kind;
}

export interface StandbyDelay {
  readonly interface: string;
  readonly minimumSeconds: number;
  readonly reloadSeconds: number;
}

export function standbyDelays(config: Config): StandbyDelay[] {
  return [...config.interfaces.values()]
    .filter(({ standby }) => standby.groups.size > 0)
    .map(({ name, standby }) => ({
      interface: name,
      minimumSeconds: standby.delayMinimumSeconds ?? DEFAULTS.standbyDelayMinimumSeconds,
      reloadSeconds: standby.delayReloadSeconds ?? DEFAULTS.standbyDelayReloadSeconds,
    }));
}

const DELAY = [28, 8] as const;

export function standbyDelayText(delays: readonly StandbyDelay[]): string {
  return text([
    row(DELAY, ["Interface", "Minimum", "Reload"]),
    ...delays.map((each) =>
      row(DELAY, [each.interface, String(each.minimumSeconds), String(each.reloadSeconds)]),
    ),
  ]);
}

export function standbyStatisticsText(views: readonly StandbyStatistics[]): string {
  return text(
    views.flatMap(({ interface: name, received, accepted, advertisements, refused, sent }) => [
      name,
      `  received ${received}: taken ${accepted}, advertisements ${advertisements}, refused ${sumOf(refused)}`,
      ...REFUSAL_NAMES.filter((reason) => refused[reason] > 0).map(
        (reason) => `    ${reason} ${refused[reason]}: ${REFUSALS[reason]}`,
      ),
      `  sent: hellos ${sent.hello}, coups ${sent.coup}, resigns ${sent.resign}`,
    ]),
  );
}

const sumOf = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((sum, count) => sum + count, 0);
