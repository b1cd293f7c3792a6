/** `--fail WHAT@WHEN` and `--recover WHAT@WHEN`: what breaks, and when. */

export const FAILURES = {
  active: "the active box dies",
  standby: "the standby box dies",
  hang: "the active box freezes",
  inside: "the inside link of the active box breaks",
  outside: "the outside link of the active box breaks",
  sync: "the link between the boxes breaks",
} as const;
export type Failure = keyof typeof FAILURES;

/** A time in the capture, or a packet of it, from 1: before that packet. */
export type Moment = { readonly seconds: number } | { readonly packet: number };

export interface PlannedEvent {
  readonly kind: "fail" | "recover";
  readonly what: Failure;
  readonly when: Moment;
}

/** Reads `WHAT@SECONDS` or `WHAT@#N`; a problem says what was expected. */
export function parsePlanned(kind: PlannedEvent["kind"], text: string): PlannedEvent | { problem: string } {
  const at = text.indexOf("@");
  const what = text.slice(0, at === -1 ? undefined : at);
  if (!Object.hasOwn(FAILURES, what)) {
    return { problem: `"${what}" cannot ${kind}; it must be one of ${Object.keys(FAILURES).join(", ")}` };
  }
  const when = at === -1 ? "" : text.slice(at + 1);
  const packet = /^#([1-9]\d{0,11})$/.exec(when);
  if (packet) return { kind, what: what as Failure, when: { packet: Number(packet[1]) } };
  if (!/^\d{1,9}(\.\d{1,9})?$/.test(when)) {
    return { problem: `"${text}" does not say when: expected ${what}@SECONDS or ${what}@#PACKET` };
  }
  return { kind, what: what as Failure, when: { seconds: Number(when) } };
}

/** As it is written. */
export function formatPlanned({ what, when }: PlannedEvent): string {
  return `${what}@${"packet" in when ? `#${when.packet}` : when.seconds}`;
}
