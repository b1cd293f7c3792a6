/** Which frames of a port belong to which of its subinterfaces. */
import type { Config, Interface } from "../config/model.js";
import type { Draft } from "./finding.js";
import { hasAddress, isUp, portOf } from "./topology.js";

/** V35. A frame belongs to one interface; of two that claim it, one gets nothing. */
export function framesBelongToOne({ interfaces }: Config): Draft[] {
  const drafts: Draft[] = [];
  const claims = new Map<string, Interface>();
  for (const each of [...interfaces.values()].filter(isUp)) {
    const { encapsulation } = each;
    if (encapsulation === undefined) continue;
    const { vlan, native, at } = encapsulation;
    const port = interfaces.get(portOf(each.name));
    if (native && port !== undefined && isUp(port) && hasAddress(port)) {
      const message = `frames without a tag belong to ${each.name}: ${port.name} has an address and gets none`;
      drafts.push({ at, message, mend: `interface ${port.name}, no ip address`, other: port.at });
    }
    for (const claim of [`VLAN ${vlan}`, ...(native ? ["the native VLAN"] : [])]) {
      const key = `${portOf(each.name)} ${claim}`;
      const first = claims.get(key);
      if (first === undefined) claims.set(key, each);
      else {
        const message = `${first.name} has ${claim} of ${portOf(each.name)} already: ${each.name} gets no frames`;
        drafts.push({ at, message, mend: `another VLAN for ${each.name}`, other: first.encapsulation!.at });
      }
    }
  }
  return drafts;
}
