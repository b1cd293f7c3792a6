/** HMAC-SHA-256 of the platform: with records of sessions it is many times as fast as the one in JavaScript. */
import { createHmac } from "node:crypto";
import type { Mac } from "../redundancy/index.js";

/** The same bytes as `nobleMac`. */
export const nodeMac: Mac = (key, bytes) => createHmac("sha256", key).update(bytes).digest();
