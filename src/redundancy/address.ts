/** Addresses in messages of the pair. */
import { type Address, bigintToBytes, bytesToBigint } from "../ip.js";
import { bytes, choice, type Field, u32 } from "./fields.js";

const FAMILIES = choice(["IPv4", "IPv6"]);
const IPV6 = bytes(16);

/** The family, then 4 or 16 bytes. */
export const address: Field<Address> = {
  size: (value) => FAMILIES.size("IPv4") + (typeof value === "number" ? 4 : 16),
  write(to, value) {
    FAMILIES.write(to, typeof value === "number" ? "IPv4" : "IPv6");
    if (typeof value === "number") u32.write(to, value);
    else IPV6.write(to, Uint8Array.from(bigintToBytes(value)));
  },
  read(from) {
    const family = FAMILIES.read(from);
    if (family === undefined) return undefined;
    if (family === "IPv4") return u32.read(from);
    const value = IPV6.read(from);
    return value && bytesToBigint(value);
  },
};
