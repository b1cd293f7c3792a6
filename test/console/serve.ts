/** A console with a box behind it that is not there, as a process of its own: `serve.ts PATH [SESSIONS]`. */
import { startConsole } from "../../src/io/console/server.js";
import { FakeBackend, session } from "./fake-backend.js";

const [path = "", sessions = "0"] = process.argv.slice(2);
const backend = new FakeBackend();
if (Number(sessions) > 0) {
  backend.sessionsHeld = Array.from({ length: Number(sessions) }, (_, i) => session(i));
}
const startedMs = performance.now();
const uptimeMs = backend.uptimeMs;
setInterval(() => {
  backend.uptimeMs = uptimeMs + performance.now() - startedMs;
}, 100);
const started = await startConsole({ backend, path, onLog: (line) => console.error(line.text) });
if ("problem" in started) {
  console.error(started.problem);
  process.exitCode = 1;
} else console.log("ready");
process.on("SIGTERM", () => process.exit(0));
