"""Runs a command on a pseudo terminal: waits for a text, types, and so on. Prints all that came.

type-on-terminal.py STEPS COMMAND...   STEPS: JSON, a list of [text to wait for, text to type]
"""
import json
import os
import pty
import select
import signal
import sys
import time

steps = json.loads(sys.argv[1])
deadline = time.monotonic() + 60
pid, terminal = pty.fork()
if pid == 0:
    os.environ["TERM"] = "xterm"
    os.execvp(sys.argv[2], sys.argv[2:])
screen, seen = "", 0
while time.monotonic() < deadline:
    while steps and steps[0][0] in screen[seen:]:
        wanted, typed = steps.pop(0)
        seen = screen.index(wanted, seen) + len(wanted)
        os.write(terminal, typed.encode())
    if not select.select([terminal], [], [], 1)[0]:
        continue
    try:
        chunk = os.read(terminal, 65536)
    except OSError:
        break
    if not chunk:
        break
    screen += chunk.decode(errors="replace")
if time.monotonic() >= deadline:
    os.kill(pid, signal.SIGKILL)
print(json.dumps({"screen": screen, "left": steps, "status": os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}))
