"""Raw frames and streams for the tests of packet I/O, by the sockets of Python. Prints lines of JSON."""
import hashlib
import json
import random
import socket
import struct
import sys
import time

ETHERTYPE = 0x88B5  # for local experiments: no protocol of the kernel looks at it
CHUNK = 65536
ETH_P_ALL = 3
SOL_PACKET = 263
PACKET_AUXDATA = 8
TP_STATUS_VLAN_VALID = 16


def say(value):
    print(json.dumps(value), flush=True)


def frames(seed, sizes, vlan=0):
    """Frames of given sizes whose bytes come out of a seed; with a tag if there is a VLAN."""
    source = random.Random(seed)
    tag = b"\x81\x00" + vlan.to_bytes(2, "big") if vlan else b""
    for size in sizes:
        head = bytes.fromhex("020000000002020000000001") + tag + ETHERTYPE.to_bytes(2, "big")
        yield head + source.randbytes(size - len(head))


def sizes():
    return list(range(20, 200)) + list(range(200, 1515, 13)) + [1514]


def raw(device, protocol):
    opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(protocol))
    opened.bind((device, protocol))
    return opened


def whole(opened):
    """The next frame, with the tag that the kernel has taken off put back."""
    data, ancillary, _, _ = opened.recvmsg(CHUNK, 64)
    for level, kind, value in ancillary:
        if (level, kind) == (SOL_PACKET, PACKET_AUXDATA):
            status, _, _, _, _, tag, protocol = struct.unpack("IIIHHHH", value)
            if status & TP_STATUS_VLAN_VALID:
                data = data[:12] + struct.pack("!HH", protocol, tag) + data[12:]
    return data


def send_frames(device, seed, vlan="0"):
    opened = raw(device, 0)
    for frame in frames(seed, sizes(), int(vlan)):
        opened.send(frame)
        time.sleep(0.0002)
    say("sent")


def take_frames(device, seed, vlan="0"):
    """Takes what arrives until all were seen or nothing comes; says how many were as they should be, in order."""
    opened = raw(device, ETH_P_ALL)  # one of a single protocol gets frames after their tags are gone
    opened.setsockopt(socket.SOL_SOCKET, 33, 8 << 20)
    opened.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    say("ready")
    opened.settimeout(5)
    expected = list(frames(seed, sizes(), int(vlan)))
    right = 0
    wrong = 0
    try:
        while right < len(expected):
            frame = whole(opened)
            if ETHERTYPE.to_bytes(2, "big") not in (frame[12:14], frame[16:18]):
                continue
            if frame == expected[right]:
                right += 1
            else:
                wrong += 1
    except TimeoutError:
        pass
    say({"right": right, "wrong": wrong, "expected": len(expected)})


def flood(device, count):
    """Sends one frame of 64 bytes very often; says how many the device took."""
    opened = raw(device, 0)
    frame = next(frames(1, [64]))
    sent = 0
    for _ in range(int(count)):
        try:
            opened.send(frame)
            sent += 1
        except OSError:
            pass
    say({"sent": sent})


def longest_of(tap):
    """Length of the longest frame that arrived meanwhile; the bytes are not read, only counted."""
    longest = 0
    try:
        while True:
            longest = max(longest, tap.recv_into(bytearray(1), 1, socket.MSG_TRUNC))
    except BlockingIOError:
        return longest


def serve(address, port):
    """Takes one stream; says its length and digest, and the longest frame that came meanwhile."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listening = socket.create_server((address, int(port)), family=family)
    tap = raw("eth0", ETH_P_ALL)
    tap.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)
    tap.setblocking(False)
    say("ready")
    opened, _ = listening.accept()
    opened.settimeout(20)
    digest = hashlib.sha256()
    length = 0
    longest = 0
    while data := opened.recv(CHUNK):
        digest.update(data)
        length += len(data)
        longest = max(longest, longest_of(tap))
    say({"length": length, "digest": digest.hexdigest(), "longest": longest})


def stream(address, port, length):
    data = random.Random(2).randbytes(int(length))
    with socket.create_connection((address, int(port)), timeout=20) as opened:
        opened.sendall(data)
    say({"length": len(data), "digest": hashlib.sha256(data).hexdigest()})


def datagrams(address, port):
    """Takes datagrams of every length below 1472 in order; says how many came and were right."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_DGRAM)
    opened.bind((address, int(port)))
    opened.settimeout(3)
    say("ready")
    right = 0
    try:
        while right < 1400:
            data = opened.recv(CHUNK)
            right += data == random.Random(len(data)).randbytes(len(data))
    except TimeoutError:
        pass
    say({"right": right})


def send_datagrams(address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_DGRAM)
    for length in range(1, 1401):
        opened.sendto(random.Random(length).randbytes(length), (address, int(port)))
        time.sleep(0.0002)
    say("sent")


COMMANDS = {
    command.__name__: command
    for command in (send_frames, take_frames, flood, serve, stream, datagrams, send_datagrams)
}
COMMANDS[sys.argv[1]](*sys.argv[2:])
