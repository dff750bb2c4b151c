"""users.oath, from the README of OATH Toolkit's pam_oath. No packages.

liboath.oath is as liboath left it, and stays.
"""

from fixtures import Folder, secret, uri

A, B = secret("a"), secret("b")
ZERO = b"\0" * 20

folder = Folder("users-oath", "generate/users-oath.py, from the README of pam_oath, OATH Toolkit 2.6.7", kept=("liboath.oath",))
add = folder.add
add("simple.oath", f"HOTP/T30/6 alice - {A.hex()}\n", [uri("alice", A)])
add("types.oath", "".join(f"{kind}\tu\t-\t{A.hex()}\n" for kind in
    ("HOTP", "HOTP/E", "HOTP/E/8", "HOTP/T30", "HOTP/T60", "HOTP/T60/7", "HOTP/T30/8")),
    [uri("u", A, counter=0), uri("u", A, counter=0), uri("u", A, digits=8, counter=0), uri("u", A), uri("u", A, period=60),
     uri("u", A, digits=7, period=60), uri("u", A, digits=8)])
add("comments.oath", f"# users\n\n  # more\nHOTP/T30 alice 1234 {A.hex().upper()}\n\nHOTP bob + {B.hex()} 5\n", [uri("alice", A), uri("bob", B, counter=5)])
add("accepted.oath", f"HOTP joe - {A.hex()} 0 328482 2009-12-07T23:00:00L\nHOTP jim - {B.hex()} 41 755224\n"
    f"HOTP/T30 tim - {B.hex()} 2 755224 2009-12-07T23:00:00L\n", [uri("joe", A, counter=1), uri("jim", B, counter=42), uri("tim", B)])
add("same-user.oath", f"HOTP/T30 u - {A.hex()}\nHOTP/T30 u - {B.hex()}\n", [uri("u", A), uri("u", B)])
add("crlf.oath", f"HOTP/T30 alice - {A.hex()}\r\nHOTP/T30 bob - {B.hex()}\r\n", [uri("alice", A), uri("bob", B)])
add("unicode.oath", f"HOTP/T30 käthe - {A.hex()}\n", [uri("käthe", A)])
add("largest-counter.oath", f"HOTP u - {A.hex()} {2**64 - 1}\n", [uri("u", A, counter=2**64 - 1)])
key = bytes.fromhex("2333343536373839303132333435363738393031")
add("liboath.oath", None, [uri("joe", key, counter=5), uri("tim", key), uri("jim", key, digits=8, counter=8)],
    source="liboath 2.6.7: oath_authenticate_usersfile, for the codes of counters 3 and 4 (joe) and 7 (jim)")

good = f"HOTP/T30 alice - {A.hex()}\n"
bad = lambda name, line, code: add(name, good + line + "\n" + good, [uri("alice", A)] * 2, errors=[[2, code]])
bad("no-secret.oath", "HOTP/T30 u -", "missing")
bad("no-user.oath", "HOTP/T30", "missing")
bad("odd-hex.oath", "HOTP/T30 u - 123", "invalid")
bad("not-hex.oath", "HOTP/T30 u - JBSWY3DPEHPK3PXP", "invalid")
bad("other-type.oath", f"MOTP u - {A.hex()}", "unsupported")
bad("other-factor.oath", f"HOTP/X30 u - {A.hex()}", "unsupported")
bad("bad-period.oath", f"HOTP/T0 u - {A.hex()}", "invalid")
bad("period-overflow.oath", f"HOTP/T{2**64} u - {A.hex()}", "unsupported")
bad("bad-digits.oath", f"HOTP/T30/99 u - {A.hex()}", "invalid")
bad("bad-counter.oath", f"HOTP u - {A.hex()} x", "invalid")
bad("counter-overflow.oath", f"HOTP u - {A.hex()} {2**64 - 1} 123456", "invalid")
bad("long-secret.oath", f"HOTP/T30 u - {'00' * 2000}", "invalid")
bad("three-slashes.oath", f"HOTP/T30/6/7 u - {A.hex()}", "unsupported")
add("truncated.oath", good + good[:-1][:30] + "\n", [uri("alice", A)], errors=[[2, "invalid"]])
add("many.oath", good + "HOTP u - 00\n" * 20_001, fails="too-large")
add("other-first.oath", "TOTP alice - 00\n", fails="unrecognized")
add("empty.oath", "# nobody\n", fails="unrecognized")
folder.write()
