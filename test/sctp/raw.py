"""A raw socket for SCTP packets over IPv4: raw.py LOCAL REMOTE

Each packet, on standard input to REMOTE and on standard output from it, is preceded by its length in 4 bytes.
"""
import os
import socket
import struct
import sys
import threading

LOCAL, REMOTE = sys.argv[1:]
PACKET_MAX = 65535

raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_SCTP)
raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 21)
raw.bind((LOCAL, 0))


def receive():
    while True:
        packet, (source, _) = raw.recvfrom(PACKET_MAX)
        if source != REMOTE:
            continue
        header = 4 * (packet[0] & 15)
        sys.stdout.buffer.write(struct.pack(">I", len(packet) - header) + packet[header:])
        sys.stdout.buffer.flush()


threading.Thread(target=receive, daemon=True).start()
# The first frame, an empty one, says that the socket is there.
sys.stdout.buffer.write(struct.pack(">I", 0))
sys.stdout.buffer.flush()
while True:
    length = sys.stdin.buffer.read(4)
    if len(length) < 4:
        os._exit(0)
    raw.sendto(sys.stdin.buffer.read(struct.unpack(">I", length)[0]), (REMOTE, 0))
