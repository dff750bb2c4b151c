"""rsc.io/2fa: after main.go of rsc/2fa."""

from common import FIRST, Folder, account, secret


def padded(text):
    return text + "=" * (-len(text) % 8)


def line(a, counter=None, period=None):
    parts = [a["name"], str(a["digits"]), *([period] if period else []), padded(a["secret"]).lower(), *([counter] if counter else [])]
    return " ".join(parts)


def keychain(*lines):
    return "".join(line + "\n" for line in lines).encode()


def named(name, **more):
    return account("", name, secret(name, more.pop("length", 20)), **more)


folder = Folder("rsc-2fa", "generated after main.go of rsc.io/2fa")
github, eight, odd = named("github"), named("eight", digits=8), named("odd", digits=7, length=16)
counted = named("token", kind="hotp", counter=42)
fresh = named("fresh", kind="hotp", counter=1)
at = lambda number: f"{number:020}"
folder.good("keychain", keychain(line(github), line(eight), line(odd)), [github, eight, odd])
folder.good("counters", keychain(line(counted, at(41)), line(fresh, at(0)), line(github)), [counted, fresh, github])
folder.good("periods", keychain(line(github, period="30"), line(named("quick", period=10), period="10")), [github, named("quick", period=10)])
folder.good("period-and-counter", keychain(line(counted, at(41), "30")), [counted])
folder.good("blank-lines", keychain("", line(github), "", line(eight))[:-1], [github, eight])
folder.good("upper-case", keychain(line(github).replace(padded(github["secret"]).lower(), padded(github["secret"]))), [github])

folder.one_bad(lambda lines: keychain(*lines), [line(github), None, line(eight)], [github, None, eight], [
    ("key", "bad 6 abc1defg", "invalid"),
    ("key-length", "bad 6 abcdefghijk", "invalid"),
    ("digits", "bad 9 " + padded(secret("bad")), "damaged"),
    ("no-key", "bad 6", "damaged"),
    ("more", "bad 6 30 KEY " + at(1) + " more", "damaged"),
    ("counter", "bad 6 " + padded(secret("bad")) + " 0000000000000000004x", "invalid"),
    ("counter-last", "bad 6 " + padded(secret("bad")) + " 18446744073709551615", "invalid"),
    ("period", "bad 6 00 " + padded(secret("bad")), "invalid"),
    ("word", "hello", "damaged"),
], "")
folder.partly("cut-off", keychain(line(github), line(eight))[:-30], [github], [[2, "invalid"]])
folder.fails("prose", b"buy 7 apples\nbuy 6 pears\n", "unrecognized")
folder.fails("short-key", b"x 6 abcdefgh\n", "unrecognized")
folder.fails("mostly-other", keychain("a", "b", line(github)), "unrecognized")
folder.fails("binary", keychain(line(github)) + b"\xff" * 8, "unrecognized")
folder.fails("empty", b"", "unrecognized")
folder.write()
