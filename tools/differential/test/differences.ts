/** Where @sock is meant to give another outcome than Python: the reason, and the titles of the cases. */
const REASONS: readonly [reason: string, ...titles: RegExp[]][] = [
  [
    'JavaScript has one kind of number: one with a fraction, or out of range, is a RangeError, where Python tells its types apart',
    /^(netlink |packet |CAN_ISOTP |tipc )?(bind|sendto|getservbyport|listen|socket).*\b1\.5\b/,
    /recv\(1\.5\)|recvmsg\(10, 1\.5\)/,
    /^setsockopt\(\w+, (1\.5|2147483648|4294967296|9223372036854776000)\)$/,
  ],
  [
    'what no call could take is a RangeError, before any system call; Python asks the system, or takes it modulo some power of 2',
    /^inet_pton\((1|-1|77), /,
    /^if_indextoname\(4294967296\)$/,
    /^getaddrinfo\("127\.0\.0\.1", (65536|-1), /,
    /^getnameinfo\(.*(65536|-1)\), 3\)$|^getnameinfo\(.*, -1\)$/,
    /^bind6\(\("::1", 0, 0, -1,\)\)$/,
    /^setsockopt\(SO_KEEPALIVE, None, -1\)$/,
    /shutdown\((3|-1)\)$/,
    /^alg bind\(\(("hash", ""|"", "sha256"),\)\)$|^alg bind\(\("hash", "sha256", (-1|4294967296), 0,\)\)$/,
    /^l2cap bind\(any, (65536|-1)\)$|^rfcomm bind\(any, (31|255|256|-1)\)$|^hci bind\((65535|65536)\)$/,
    /^tipc bind\(\((1000, 6, 5|-1, 0, 0|4294967296, 0, 0)\)\)$/,
    /^qrtr bind\(\((-1, 1|1, 4294967296)\)\)$|^vsock bind\(\((4294967295, 4294967296|-1, 5000)\)\)$/,
    /^CAN_ISOTP bind\(\((-1|4294967296), 2016\)\)$/,
    /^CAN_J1939 bind\(\("vcandiff", (0, 262144, (256|-1)|-1, 262144, 128|0, (-1|262145), 128),\)\)$/,
    /^CAN_J1939 bind\(\("", /,
    /^netlink bind\(\((-1|4294967296), 0\)\)$|^netlink bind\(\(0, 4294967296\)\)$/,
    /^packet bind\(\("lo", 0, (256|-1),\)\)$|^packet bind\(\("a-name-that-is-too-long"/,
  ],
  [
    'Python takes -1 for a default; here an argument is left out for that',
    /^socket\(2, -1, 0\)$/,
    /^socket\(2, 1, -1\)$/,
  ],
  ['a NUL character is refused, rather than what comes before it taken', /\\u0000b|"8\\u0000"/],
  ['a lone surrogate has no form in UTF-8, and bytes are given as bytes', /\\udcff/],
  [
    'Python gives these errors without an errno; here it is ENODEV or ENOENT',
    /^if_nametoindex\("no-such"\)$/,
    /^getservbyname\("(no-such||HTTP|80)", None\)$|^getservbyname\("http", "(udp|xyz)"\)$/,
    /^getservbyport\((0|65535), None\)$|^getservbyport\(80, "udp"\)$/,
    /^getprotobyname\("(no-such||6)"\)$/,
  ],
  ['a name that is too long is no name that exists: Python cannot encode it', /^getaddrinfo\("a…"/],
  ['Python has an OSError of its own for a service of the wrong type', /^getaddrinfo\("127\.0\.0\.1", \("80",\)/],
  ['a scope in the text is taken, where Python forgets it', /^bind6\(\("fe80::1%lo"/],
  ['a length of 0 that is asked for is an empty buffer, not an int', /^getsockopt\(\w+, 0\)$/],
  [
    'what was received has the length that it has: Python fills up with what is in memory',
    /^(datagram|seqpacket): recv\(3, 34\) of 5 bytes$/,
  ],
  [
    'a timeout may be longer than a timer of the system; Infinity is none',
    /^settimeout\((1(0{10}|0{20})|float\('inf'\))\)$/,
  ],
  [
    "packets: '' is every interface; an index is taken too, and a hardware address as long as the kernel's",
    /^packet bind\(\((""|5), 0,\)\)$/,
    /^packet bind\(.*'0{18}'\),\)\)$/,
  ],
  ['an interface may be given by its index too', /^CAN_RAW bind\(\(5,\)\)$|^CAN_BCM connect\(\(5,\)\)$/],
  [
    'an identifier of more than 11 bits is extended without CAN_EFF_FLAG, and given without it',
    /^CAN_ISOTP bind\(\((2048, 2016|2684354559, 2147483648)\)\)$/,
  ],
  ["the room for a name is the kernel's, 103 bytes, where CPython has 63", /^alg bind\(\("hash", "64 x",\)\)$/],
  ['CPython takes a negative operation for a missing one', /^alg operation -1 on /],
  ['a device address is six times two digits', /^(l2cap|sco) bind\(\(?"(0:0:0:0:0:0| 00:AA:01:00:00:42)"/],
  [
    'Python has an OSError of its own for arguments of the wrong type',
    /^l2cap bind\(\((5|None), 0x1001\)\)$|^(l2cap|rfcomm) bind\(any, "x"\)$|^hci bind\("x"\)$/,
  ],
  ['-1 is no controller in particular; in CPython it runs into the channel', /^hci bind\(-1\)$/],
  ['a boolean is no number', /^settimeout\(True\)$/],
  ['a socket without a descriptor has none to give', /^detach after /],
];

/** The titles that name each reason were given to; those that no case has had are out of date. */
export const unused = new Set(REASONS.flatMap(([, ...titles]) => titles));

/** Why the outcomes of a case differ, where they are meant to. */
export function differenceOf(title: string): string | undefined {
  for (const [reason, ...titles] of REASONS) {
    for (const pattern of titles) {
      if (!pattern.test(title)) continue;
      unused.delete(pattern);
      return reason;
    }
  }
  return undefined;
}
