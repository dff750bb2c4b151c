"""Google Authenticator: the message as it is read from the app, encoded by hand. `protobuf` 7 decodes it."""

import base64
from urllib.parse import quote

from common import ALL, COUNTER, FIRST, PLAIN, SECOND, Folder, account, changed, secret

ALGORITHMS = {"": 0, "SHA1": 1, "SHA256": 2, "SHA512": 3, "MD5": 4}
DIGITS = {6: 1, 8: 2, 7: 3}
KINDS = {"": 0, "hotp": 1, "totp": 2}


def varint(number):
    number &= (1 << 64) - 1
    out = bytearray()
    while True:
        byte = number & 0x7F
        number >>= 7
        out.append(byte | (0x80 if number else 0))
        if not number:
            return bytes(out)


def field(tag, value):
    if isinstance(value, int):
        return varint(tag << 3) + varint(value) if value else b""
    value = value.encode() if isinstance(value, str) else value
    return varint(tag << 3 | 2) + varint(len(value)) + value if value else b""


def raw(text):
    return base64.b32decode(text + "=" * (-len(text) % 8))


def parameters(a, **more):
    values = dict(
        secret=raw(a["secret"]), name=a["name"], issuer=a["issuer"], algorithm=ALGORITHMS[a["algorithm"]],
        digits=DIGITS[a["digits"]], kind=KINDS[a["kind"]], counter=a["counter"] if a["kind"] == "hotp" else 0, unique=b"",
    )
    values.update(more)
    return b"".join(field(tag, value) for tag, value in enumerate(values.values(), 1))


def payload(accounts, size=1, index=0, batch=-1803247391, version=1, extra=b""):
    accounts = [a if isinstance(a, bytes) else parameters(a) for a in accounts]
    message = b"".join(varint(1 << 3 | 2) + varint(len(a)) + a for a in accounts)
    return message + field(2, version) + field(3, size) + field(4, index) + field(5, batch) + extra


def link(message, encode=lambda text: quote(text, safe="")):
    return "otpauth-migration://offline?data=" + encode(base64.b64encode(message).decode())


def text(*messages):
    return ("\n".join(link(message) for message in messages) + "\n").encode()


folder = Folder("google", "generated after the message that Google Authenticator's QR codes hold")
# The format has no periods.
ACCOUNTS = [FIRST, SECOND, changed(ALL[2], period=30), COUNTER]
folder.good("one.txt", text(payload(ACCOUNTS)), ACCOUNTS)
seven = account("Seven", "s", secret("seven"), digits=7)
folder.good("version-2.txt", text(payload([parameters(FIRST, unique="b5e9"), seven], version=2)), [FIRST, seven])
parts = [payload(ACCOUNTS[:2], 3, 0), payload([ACCOUNTS[2]], 3, 1), payload([COUNTER], 3, 2)]
folder.good("three.txt", text(*parts), ACCOUNTS)
folder.good("three-shuffled.txt", b"# pasted\r\n\r\n" + text(parts[2], parts[0], parts[0], parts[1]), ACCOUNTS)
folder.good("two-exports.txt", text(payload([FIRST], batch=7), payload([SECOND], batch=8)), [FIRST, SECOND])
named = parameters(FIRST, name="Example:alice@example.com")
folder.good("issuer-in-name.txt", text(payload([named, PLAIN[2]])), [FIRST, PLAIN[2]])
unsaid = parameters(FIRST, algorithm=0, digits=0, kind=0)
folder.good("defaults.txt", text(payload([unsaid], size=0, batch=0, version=0)), [FIRST])
plus = payload([account("P", "plus", "7Z7Z7Z7Z7Z7Z7Z7Z"), SECOND])
assert "+" in link(plus, str) and "/" in link(plus, str)
folder.good("not-encoded.txt", link(plus, str).encode(), [account("P", "plus", "7Z7Z7Z7Z7Z7Z7Z7Z"), SECOND])
folder.good("form.txt", link(plus, lambda text: text.replace("+", " ")).encode(), [account("P", "plus", "7Z7Z7Z7Z7Z7Z7Z7Z"), SECOND])
folder.good("with-uri.txt", text(payload([FIRST])) + b"otpauth://totp/Other:bob?secret=" + PLAIN[1]["secret"].encode() + b"&issuer=Other\n", PLAIN[:2])

three = [FIRST, SECOND, COUNTER]
folder.one_bad(lambda items: text(payload(items)), three, three, [
    ("secret", parameters(SECOND, secret=b""), "missing"),
    ("long-secret", parameters(SECOND, secret=b"x" * 1025), "invalid"),
    ("algorithm", parameters(SECOND, algorithm=4), "invalid"),
    ("algorithm-9", parameters(SECOND, algorithm=9), "invalid"),
    ("digits", parameters(SECOND, digits=9), "invalid"),
    ("type", parameters(SECOND, kind=3), "unsupported"),
    ("counter", parameters(COUNTER, counter=-1), "invalid"),
    ("name", parameters(SECOND, name="a\nb"), "invalid"),
    ("utf8", parameters(SECOND, name=b"\xff\xfe"), "damaged"),
    ("cut-off", parameters(SECOND)[:-3] , "damaged"),
    ("length", b"\x0a\xff\xff\xff\xff\x0f" + b"x", "damaged"),
], ".txt")
folder.fails("missing.txt", text(parts[0], parts[2]), "parts")
folder.fails("missing-first.txt", text(parts[1], parts[2]), "parts")
folder.fails("missing-last.txt", text(parts[0], parts[1]), "parts")
folder.fails("of-two-exports.txt", text(payload([FIRST], 2, 0, 7), payload([SECOND], 2, 1, 8)), "parts")
folder.fails("sizes-disagree.txt", text(payload([FIRST], 2, 0), payload([SECOND], 3, 1)), "parts")
folder.fails("same-number.txt", text(payload([FIRST], 2, 0), payload([SECOND], 2, 0)), "parts")
folder.fails("huge-batch.txt", text(payload([FIRST], (1 << 31) - 1, 0)), "parts")
folder.fails("number-beyond.txt", text(payload([FIRST], 2, 5)), "damaged")
folder.fails("negative-number.txt", text(payload([FIRST], 2, -5)), "damaged")
folder.fails("version-9.txt", text(payload([FIRST], version=9)), "version")
folder.fails("cut-off.txt", text(payload(ACCOUNTS)[:-40]), "damaged")
folder.fails("no-data.txt", b"otpauth-migration://offline\n", "damaged")
folder.fails("not-base64.txt", b"otpauth-migration://offline?data=%21%21%21\n", "damaged")
folder.fails("other-line.txt", text(payload([FIRST])) + b"hello\n", "damaged")
# Messages in messages: unknown fields are passed over, and groups nest no deeper than the decoder allows.
folder.fails("nested-groups.txt", text(payload([FIRST], extra=b"\x53" * 400 + b"\x54" * 400)), "damaged")
folder.fails("too-many.txt", text(payload([b"\x3a\x00"[:0]] * 20_001)), "too-large")
folder.write()
