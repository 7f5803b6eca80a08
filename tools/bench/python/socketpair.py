"""socketpair.py [timeout]: send and recv of 64 bytes on a socket pair, both ends in one thread."""
import socket
import sys

from meter import Meter


def main():
    a, b = socket.socketpair()
    if sys.argv[1:] == ['timeout']:
        a.settimeout(5)
        b.settimeout(5)
    message = bytes(64)
    meter = Meter()
    while not meter.add(64):
        for _ in range(64):
            a.send(message)
            b.recv(4096)


main()
