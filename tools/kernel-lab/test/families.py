"""Opens a socket of every address family that the lab is for: prints one line each, status 1 if one fails."""
import socket
import sys

STREAM, DGRAM, RAW, SEQPACKET = socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET
# numbers where Python has no name: linux/socket.h, linux/bluetooth.h
WANTED = [
    ("CAN raw", socket.AF_CAN, RAW, socket.CAN_RAW),
    ("CAN bcm", socket.AF_CAN, DGRAM, socket.CAN_BCM),
    ("CAN isotp", socket.AF_CAN, DGRAM, socket.CAN_ISOTP),
    ("CAN j1939", socket.AF_CAN, DGRAM, socket.CAN_J1939),
    ("ALG", socket.AF_ALG, SEQPACKET, 0),
    ("TIPC rdm", socket.AF_TIPC, socket.SOCK_RDM, 0),
    ("TIPC stream", socket.AF_TIPC, STREAM, 0),
    ("BLUETOOTH l2cap", 31, SEQPACKET, 0),
    ("BLUETOOTH hci", 31, RAW, 1),
    ("BLUETOOTH sco", 31, SEQPACKET, 2),
    ("BLUETOOTH rfcomm", 31, STREAM, 3),
    ("RDS", socket.AF_RDS, SEQPACKET, 0),
    ("SCTP one-to-one", socket.AF_INET, STREAM, 132),
    ("SCTP one-to-many", socket.AF_INET6, SEQPACKET, 132),
    ("QRTR", socket.AF_QIPCRTR, DGRAM, 0),
    ("NETLINK route", socket.AF_NETLINK, RAW, 0),
    ("NETLINK generic", socket.AF_NETLINK, RAW, 16),
    ("PACKET", socket.AF_PACKET, RAW, socket.htons(3)),
    ("ping", socket.AF_INET, DGRAM, socket.IPPROTO_ICMP),
    ("MPTCP", socket.AF_INET, STREAM, 262),
    ("UDP-Lite", socket.AF_INET, DGRAM, 136),
]
failed = 0


def check(name, body):
    global failed
    try:
        body()
        print(name, "ok")
    except OSError as error:
        failed = 1
        print(name, error)


def vsock_loopback():
    with socket.socket(socket.AF_VSOCK, STREAM) as server, socket.socket(socket.AF_VSOCK, STREAM) as client:
        server.bind((socket.VMADDR_CID_ANY, 1234))
        server.listen()
        client.settimeout(10)
        client.connect((1, 1234))
        peer, _ = server.accept()
        with peer:
            client.sendall(b"x")
            if peer.recv(2) != b"x":
                raise OSError("not what was sent")


for label, *arguments in WANTED:
    check(label, lambda: socket.socket(*arguments).close())
check("VSOCK loopback", vsock_loopback)
sys.exit(failed)
