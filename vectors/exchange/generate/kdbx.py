"""KDBX 3.1 and 4, written from keepass.info/help/kb/kdbx.html. Packages: cryptography, argon2-cffi.

keepassxc.kdbx and pykeepass.kdbx were written by those programs and stay as they are.
"""

import base64
import gzip
import hashlib
import hmac
import struct
from xml.sax.saxutils import escape

from argon2.low_level import Type, hash_secret_raw
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from fixtures import Folder, base32, fixed, inside, secret, uri

AES = bytes.fromhex("31c1f2e6bf714350be5805216afc5aff")
CHACHA = bytes.fromhex("d6038a2b8b6f4cb5a524339a31dbb59a")
TWOFISH = bytes.fromhex("ad68f29f576f4bb9a36ad47af965346c")
ARGON2D = bytes.fromhex("ef636ddf8c29444b91f7a9a403e30a0c")
ARGON2ID = bytes.fromhex("9e298b1956db4773b23dfc3ec6f0a1e6")
AESKDF = bytes.fromhex("c9d9f39a628a4460bf740d08c18a4fea")
PASSWORD = "correct horse"


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def sha512(*parts):
    return hashlib.sha512(b"".join(parts)).digest()


def field(number, data):
    return struct.pack("<BI", number, len(data)) + data


def dictionary(values):
    out = struct.pack("<H", 0x0100)
    for key, (kind, value) in values.items():
        if kind == 0x05:
            value = struct.pack("<Q", value)
        elif kind == 0x04:
            value = struct.pack("<I", value)
        out += struct.pack("<BI", kind, len(key)) + key.encode() + struct.pack("<I", len(value)) + value
    return out + b"\0"


def argon2_parameters(kind=ARGON2D, kib=64, passes=2, lanes=1, version=0x13):
    return {
        "$UUID": (0x42, kind), "S": (0x42, fixed("kdf salt", 32)), "P": (0x04, lanes), "M": (0x05, kib * 1024),
        "I": (0x05, passes), "V": (0x04, version),
    }


def aes_parameters(rounds=100):
    return {"$UUID": (0x42, AESKDF), "R": (0x05, rounds), "S": (0x42, fixed("kdf salt", 32))}


def chacha20(key, nonce, data):
    """RFC 8439 with the counter from zero: `cryptography` wants the counter in front of the nonce."""
    return Cipher(algorithms.ChaCha20(key, b"\0\0\0\0" + nonce), None).encryptor().update(data)


def keystream(stream, key, length):
    if stream == 3:
        hashed = sha512(key)
        return chacha20(hashed[:32], hashed[32:44], bytes(length))
    return salsa20(sha256(key), bytes.fromhex("e830094b97205d2a"), length)


def salsa20(key, nonce, length):
    """Salsa20/20 from its specification: no package above exports it."""
    out = b""
    constants = [struct.unpack("<I", b"expand 32-byte k"[i:i + 4])[0] for i in range(0, 16, 4)]
    k = struct.unpack("<8I", key)
    n = struct.unpack("<2I", nonce)
    rotate = lambda value, by: ((value << by) | (value >> (32 - by))) & 0xFFFFFFFF
    for block in range((length + 63) // 64):
        state = [constants[0], *k[:4], constants[1], *n, block, 0, constants[2], *k[4:], constants[3]]
        x = list(state)
        def quarter(a, b, c, d):
            x[b] ^= rotate((x[a] + x[d]) & 0xFFFFFFFF, 7)
            x[c] ^= rotate((x[b] + x[a]) & 0xFFFFFFFF, 9)
            x[d] ^= rotate((x[c] + x[b]) & 0xFFFFFFFF, 13)
            x[a] ^= rotate((x[d] + x[c]) & 0xFFFFFFFF, 18)
        for _ in range(10):
            quarter(0, 4, 8, 12); quarter(5, 9, 13, 1); quarter(10, 14, 2, 6); quarter(15, 3, 7, 11)
            quarter(0, 1, 2, 3); quarter(5, 6, 7, 4); quarter(10, 11, 8, 9); quarter(15, 12, 13, 14)
        out += struct.pack("<16I", *[(a + b) & 0xFFFFFFFF for a, b in zip(x, state)])
    return out[:length]


class Protect:
    """The inner stream, over the protected values in order."""

    def __init__(self, stream, key):
        self.stream = keystream(stream, key, 1 << 14)
        self.at = 0

    def __call__(self, text):
        data = text.encode()
        part = self.stream[self.at:self.at + len(data)]
        self.at += len(data)
        return base64.b64encode(bytes(a ^ b for a, b in zip(data, part))).decode()


def uuid(name):
    return base64.b64encode(fixed("uuid " + name, 16)).decode()


def entry_xml(strings, protect, history=None):
    """`history` are the strings of older versions; they have their entry's UUID, and no history."""
    return f"<Entry>{version_xml(strings, strings, protect)}<History>" + "".join(
        f"<Entry>{version_xml(strings, old, protect)}</Entry>" for old in history or []
    ) + "</History></Entry>"


def version_xml(latest, strings, protect):
    out = f"<UUID>{uuid(str(latest))}</UUID><Times><Expires>False</Expires></Times>"
    for key, value in strings.items():
        if key in ("Password", "otp", "TimeOtp-Secret-Base32"):
            out += f'<String><Key>{escape(key)}</Key><Value Protected="True">{protect(value)}</Value></String>'
        else:
            out += f"<String><Key>{escape(key)}</Key><Value>{escape(value)}</Value></String>"
    return out


def group_xml(name, inside):
    return f"<Group><UUID>{uuid(name)}</UUID><Name>{escape(name)}</Name>{inside}</Group>"


def document(inside, bin_of=None):
    recycle = uuid(bin_of) if bin_of else "AAAAAAAAAAAAAAAAAAAAAA=="
    return (
        '<?xml version="1.0" encoding="utf-8" standalone="yes"?>\n<KeePassFile><Meta><Generator>vmfa</Generator>'
        f"<RecycleBinEnabled>True</RecycleBinEnabled><RecycleBinUUID>{recycle}</RecycleBinUUID></Meta>"
        f"<Root>{group_xml('Passwords', inside)}</Root></KeePassFile>"
    )


def content(xml, stream=3, inner=None):
    """What is encrypted: the inner header and the XML. `xml` takes the function that protects a value."""
    key = fixed("inner key", 64)
    if inner is None:
        inner = field(1, struct.pack("<I", stream)) + field(2, key) + field(0, b"")
    return inner + xml(Protect(stream, key)).encode()


def database(
    xml, *, cipher=AES, kdf=None, password=PASSWORD, compress=True, stream=3, version=(0, 4), inner=None, payload=None,
    block=1 << 20, derive=True,
):
    """`xml` as in `content`."""
    kdf = kdf or argon2_parameters()
    seed, vector = fixed("master seed", 32), fixed("vector", 12 if cipher == CHACHA else 16)
    header = struct.pack("<IIHH", 0x9AA2D903, 0xB54BFB67, *version)
    header += field(2, cipher) + field(3, struct.pack("<I", int(compress))) + field(4, seed) + field(7, vector)
    header += field(11, dictionary(kdf)) + field(0, b"\r\n\r\n")
    composite = sha256(sha256(password.encode()))
    if not derive:
        key = bytes(32)
    elif kdf["$UUID"][1] == AESKDF:
        encryptor = Cipher(algorithms.AES(kdf["S"][1]), modes.ECB()).encryptor()
        key = composite
        for _ in range(kdf["R"][1]):
            key = encryptor.update(key)
        key = sha256(key)
    else:
        key = hash_secret_raw(
            composite, kdf["S"][1], kdf["I"][1], kdf["M"][1] // 1024, kdf["P"][1], 32,
            Type.D if kdf["$UUID"][1] == ARGON2D else Type.ID,
        )
    base = sha512(seed, key, b"\1")
    mac = lambda number, data: hmac.new(sha512(struct.pack("<Q", number), base), data, hashlib.sha256).digest()
    if payload is None:
        payload = content(xml, stream, inner)
        if compress:
            payload = gzip.compress(payload, mtime=0)
    if cipher == CHACHA:
        sealed = chacha20(sha256(seed, key), vector, payload)
    else:
        padder = padding.PKCS7(128).padder()
        payload = padder.update(payload) + padder.finalize()
        sealed = Cipher(algorithms.AES(sha256(seed, key)), modes.CBC(vector)).encryptor().update(payload)
    out = header + sha256(header) + mac(2**64 - 1, header)
    blocks = [sealed[at:at + block] for at in range(0, len(sealed), block)] + [b""]
    for number, data in enumerate(blocks):
        out += mac(number, struct.pack("<QI", number, len(data)) + data) + struct.pack("<I", len(data)) + data
    return out


def old_database(
    xml, *, cipher=AES, rounds=100, compress=True, stream=2, told_hash=None, change=lambda blocks: blocks, block=1 << 20, derive=True,
):
    """KDBX 3.1. `xml` takes the function that protects a value, and what belongs into `Meta`."""
    seed, transform_seed, start = fixed("master seed", 32), fixed("transform seed", 32), fixed("start", 32)
    vector, inner_key = fixed("vector", 12 if cipher == CHACHA else 16), fixed("inner key", 32)
    fields = {
        2: cipher, 3: struct.pack("<I", int(compress)), 4: seed, 5: transform_seed, 6: struct.pack("<Q", rounds), 7: vector,
        8: inner_key, 9: start, 10: struct.pack("<I", stream), 0: b"\r\n\r\n",
    }
    header = struct.pack("<IIHH", 0x9AA2D903, 0xB54BFB67, 1, 3)
    header += b"".join(struct.pack("<BH", number, len(data)) + data for number, data in fields.items())
    key = sha256(sha256(PASSWORD.encode()))
    encryptor = Cipher(algorithms.AES(transform_seed), modes.ECB()).encryptor()
    for _ in range(rounds if derive else 0):
        key = encryptor.update(key)
    key = sha256(seed, sha256(key))
    told = base64.b64encode(told_hash or sha256(header)).decode()
    payload = xml(Protect(2, inner_key), f"<HeaderHash>{told}</HeaderHash>").encode()
    if compress:
        payload = gzip.compress(payload, mtime=0)
    blocks = [payload[at:at + block] for at in range(0, len(payload), block)]
    blocks = [struct.pack("<I", number) + sha256(data) + struct.pack("<I", len(data)) + data for number, data in enumerate(blocks)]
    blocks = change([*blocks, struct.pack("<I", len(blocks)) + bytes(32) + struct.pack("<I", 0)])
    plain = start + b"".join(blocks)
    if cipher == CHACHA:
        return header + chacha20(key, vector, plain)
    padder = padding.PKCS7(128).padder()
    plain = padder.update(plain) + padder.finalize()
    return header + Cipher(algorithms.AES(key), modes.CBC(vector)).encryptor().update(plain)


def old(write):
    """What writes the entries of version 4, for `old_database`."""
    return lambda protect, meta: write(protect).replace("</Generator>", "</Generator>" + meta)


def simple(protect):
    return document(
        entry_xml({"Title": "GitHub", "UserName": "alice", "Password": "hunter2", "URL": "https://github.com",
                   "otp": f"otpauth://totp/GitHub:alice?secret={base32(secret('a'))}&period=30&digits=6&issuer=GitHub"},
                  protect)
        + entry_xml({"Title": "No code", "UserName": "bob", "Password": "x"}, protect)
    )


SIMPLE = [uri("alice", secret("a"), "GitHub")]


def everywhere(protect):
    """All the places where a one-time password may be."""
    key = secret("b")
    entries = [
        {"Title": "XC", "UserName": "u", "otp": f"otpauth://totp/XC:u?secret={base32(key)}&period=60&digits=8&issuer=XC&algorithm=SHA256"},
        {"Title": "XC bare", "otp": f"otpauth://totp/XC%20bare:none?secret={base32(key)}&period=30&digits=6&issuer=XC%20bare"},
        {"Title": "KeeOtp", "UserName": "u", "otp": f"key={base32(key)}%3D%3D%3D%3D&step=60&size=8"},
        {"Title": "KeeOtp2", "UserName": "u", "otp": f"key={key.hex()}&encoding=hex&otpHashMode=Sha512&type=Totp"},
        {"Title": "KeeOtp HOTP", "UserName": "u", "otp": f"key={base32(key)}&type=hotp&counter=7"},
        {"Title": "KeePass", "UserName": "u", "TimeOtp-Secret-Base32": base32(key), "TimeOtp-Length": "8", "TimeOtp-Period": "45", "TimeOtp-Algorithm": "HMAC-SHA-256"},
        {"Title": "KeePass hex", "UserName": "u", "TimeOtp-Secret-Hex": key.hex()},
        {"Title": "KeePass 64", "UserName": "u", "TimeOtp-Secret-Base64": base64.b64encode(key).decode()},
        {"Title": "KeePass text", "UserName": "u", "TimeOtp-Secret": "12345678901234567890"},
        {"Title": "KeePass both", "UserName": "u", "TimeOtp-Secret-Hex": key.hex(), "HmacOtp-Secret-Hex": key.hex(), "HmacOtp-Counter": "41"},
        {"Title": "Tray", "UserName": "u", "TOTP Seed": base32(key).lower(), "TOTP Settings": "60;8"},
        {"Title": "Tray bare", "UserName": "u", "TOTP Seed": base32(key)},
        {"Title": "Bare <&>", "UserName": "ü", "otp": base32(key)},
    ]
    return document("".join(entry_xml(strings, protect) for strings in entries))


B = secret("b")
EVERYWHERE = [
    uri("u", B, "XC", "SHA256", 8, 60), uri("", B, "XC bare"), uri("u", B, "KeeOtp", digits=8, period=60),
    uri("u", B, "KeeOtp2", "SHA512"), uri("u", B, "KeeOtp HOTP", counter=7), uri("u", B, "KeePass", "SHA256", 8, 45),
    uri("u", B, "KeePass hex"), uri("u", B, "KeePass 64"), uri("u", b"12345678901234567890", "KeePass text"),
    uri("u", B, "KeePass both"), uri("u", B, "KeePass both", counter=41), uri("u", B, "Tray", digits=8, period=60),
    uri("u", B, "Tray bare"), uri("ü", B, "Bare <&>"),
]


def grouped(protect):
    """Groups in groups, history, and a recycle bin: the protected values of all of them move the stream on."""
    otp = lambda name: {"Title": name, "UserName": "u", "Password": "p" + name, "otp": base32(secret(name))}
    history = [otp("old"), otp("older")]
    top = entry_xml(otp("top"), protect, history)
    work = entry_xml(otp("work"), protect, history)
    deep = group_xml("Deep", entry_xml(otp("deep"), protect))
    work = group_xml("Work", work + deep)
    gone = group_xml("Bin", entry_xml(otp("gone"), protect) + group_xml("In bin", entry_xml(otp("gone too"), protect)))
    return document(top + work + gone + group_xml("After", entry_xml(otp("after"), protect)), bin_of="Bin")


GROUPED = [uri("u", secret(name), name) for name in ("top", "work", "deep", "after")]
GROUPS = [[], ["Work"], ["Work", "Deep"], ["After"]]


def with_bad(protect):
    good = {"Title": "Good", "UserName": "u", "otp": base32(secret("good"))}
    bad = [
        {"Title": "Bad base32", "otp": "key=18"},
        {"Title": "Bad period", "TOTP Seed": base32(B), "TOTP Settings": "x;6"},
        {"Title": "Bad digits", "TimeOtp-Secret-Hex": B.hex(), "TimeOtp-Length": "99"},
        {"Title": "Bad hex", "TimeOtp-Secret-Hex": "abc"},
        {"Title": "Bad type", "otp": f"key={base32(B)}&type=quantum"},
        {"Title": "Bad URI", "otp": "otpauth://totp/x?digits=6"},
    ]
    return document("".join(entry_xml(one, protect) for one in [good, *bad, good]))


def steam(protect):
    return document(
        entry_xml({"Title": "Tray", "UserName": "u", "TOTP Seed": base32(B), "TOTP Settings": "30;S"}, protect)
        + entry_xml({"Title": "XC", "UserName": "u", "otp": f"otpauth://totp/XC:u?secret={base32(B)}&period=30&digits=5&issuer=XC&encoder=steam"}, protect)
        + entry_xml({"Title": "KeeOtp2", "UserName": "u", "otp": f"key={base32(B)}&type=Steam"}, protect)
    )


folder = Folder("kdbx", "generate/kdbx.py, from keepass.info/help/kb/kdbx.html", kept=("keepassxc.kdbx", "pykeepass.kdbx"))
add = lambda *args, **more: folder.add(*args, **{"password": PASSWORD, **more})
add("argon2d-aes.kdbx", database(simple), SIMPLE)
add("argon2id-chacha20.kdbx", database(simple, cipher=CHACHA, kdf=argon2_parameters(ARGON2ID)), SIMPLE)
add("aes-kdf-salsa20.kdbx", database(grouped, kdf=aes_parameters(), stream=2), GROUPED, groups=GROUPS)
add("kdbx-4.1.kdbx", database(simple, version=(1, 4)), SIMPLE)
add("real-parameters.kdbx", database(simple, kdf=argon2_parameters(ARGON2D, 64 * 1024, 2, 2)), SIMPLE)
add("everywhere.kdbx", database(everywhere), EVERYWHERE)
add("groups.kdbx", database(grouped, block=512), GROUPED, groups=GROUPS)
add("uncompressed.kdbx", database(simple, compress=False), SIMPLE)
add("no-password.kdbx", database(simple, password=""), SIMPLE, password="")
add("empty.kdbx", database(lambda protect: document("")), [])
add("bad-entries.kdbx", database(with_bad), [uri("u", secret("good"), "Good")] * 2,
    errors=[[2, "invalid"], [3, "invalid"], [4, "invalid"], [5, "invalid"], [6, "unsupported"], [7, "invalid"]])
add("steam.kdbx", database(steam), [uri("u", B, name, steam=True) for name in ("Tray", "XC", "KeeOtp2")])

levels = ["x" * 1000] + [str(n) for n in range(40)]
add("groups-many.kdbx", database(lambda protect: document(
    "".join(f"<Group><Name>{name}</Name>" for name in levels) + entry_xml({"Title": "Deep", "UserName": "u", "otp": base32(B)}, protect)
    + "</Group>" * len(levels))), [uri("u", B, "Deep")], groups=[["x" * 128, *levels[1:16]]])
whole = database(simple)
folder.add("keepassxc.kdbx", None, EVERYWHERE, password=PASSWORD,
           source="KeePassXC 2.7.4: `keepassxc-cli import` of the XML in everywhere.kdbx, merged into empty.kdbx")
folder.add("pykeepass.kdbx", None, [uri("alice", secret("pk"), "GitHub", digits=8), uri("carol", secret("pk2"), "Tray")],
           password=PASSWORD, groups=[["Work"], []], source="PyPI's pykeepass: create_database, add_entry, trash_entry")
bare = lambda *args, **more: folder.add(*args, **more)
add("wrong-password.kdbx", whole, password="wrong", fails="wrong-password")
add("truncated.kdbx", whole[:-60], fails="damaged")
bare("truncated-header.kdbx", whole[:100], fails="damaged")
bare("changed-header.kdbx", whole[:40] + bytes([whole[40] ^ 1]) + whole[41:], fails="damaged")
changed = bytearray(whole)
changed[-100] ^= 1
add("changed-block.kdbx", bytes(changed), fails="damaged")
add("old.kdbx", old_database(old(simple)), SIMPLE)
add("old-groups.kdbx", old_database(old(grouped), block=512), GROUPED, groups=GROUPS)
add("old-chacha20-uncompressed.kdbx", old_database(old(simple), cipher=CHACHA, compress=False), SIMPLE)
add("old-no-header-hash.kdbx", old_database(lambda protect, meta: simple(protect)), SIMPLE)
add("old-wrong-password.kdbx", old_database(old(simple)), password="wrong", fails="wrong-password-or-damaged")
add("old-wrong-password-chacha20.kdbx", old_database(old(simple), cipher=CHACHA), password="wrong", fails="wrong-password-or-damaged")
add("old-truncated.kdbx", old_database(old(simple))[:-16], fails="wrong-password-or-damaged")
bare("old-truncated-header.kdbx", old_database(old(simple))[:100], fails="damaged")
add("old-other-header.kdbx", old_database(old(simple), told_hash=bytes(32)), fails="damaged")
add("old-changed-block.kdbx", old_database(old(simple), change=lambda blocks: [blocks[0][:-1] + b"?", *blocks[1:]]), fails="damaged")
add("old-swapped-blocks.kdbx", old_database(
    old(simple), block=512, change=lambda blocks: [blocks[1], blocks[0], *blocks[2:]]), fails="damaged")
add("old-no-last-block.kdbx", old_database(old(simple), change=lambda blocks: blocks[:-1]), fails="damaged")
add("old-bad-stream.kdbx", old_database(old(simple), stream=1), fails="damaged")
bare("old-rounds.kdbx", old_database(old(simple), rounds=2**62, derive=False), fails="costly")
bare("old-twofish.kdbx", old_database(old(simple), cipher=TWOFISH), fails="unsupported")
bare("version-2.kdbx", database(simple, version=(4, 2)), fails="version")
bare("version-5.kdbx", database(simple, version=(0, 5)), fails="version")
bare("keepass-1.kdb", bytes.fromhex("03d9a29a65fb4bb5") + bytes(120), fails="version")
bare("argon2-64gib.kdbx", database(simple, kdf=argon2_parameters(kib=64 << 20), derive=False), fails="costly")
bare("argon2-passes.kdbx", database(simple, kdf=argon2_parameters(kib=1 << 20, passes=2**40), derive=False), fails="costly")
bare("argon2-lanes.kdbx", database(simple, kdf=argon2_parameters(lanes=2**31), derive=False), fails="damaged")
bare("aes-kdf-rounds.kdbx", database(simple, kdf=aes_parameters(2**62), derive=False), fails="costly")
bare("twofish.kdbx", database(simple, cipher=TWOFISH), fails="unsupported")
add("gzip-bomb.kdbx", database(None, payload=gzip.compress(bytes(40 << 20), mtime=0)), fails="too-large")
add("deep.kdbx", database(lambda protect: document("<Group>" * 5000 + "</Group>" * 5000)), fails="damaged")
add("entities.kdbx", database(lambda protect: '<!DOCTYPE x [<!ENTITY a "aaaa">]><KeePassFile>&a;</KeePassFile>'), fails="damaged")
add("many.kdbx", database(lambda protect: document("<Entry/>" * 20_001)), fails="too-large")
add("not-xml.kdbx", database(lambda protect: "not <XML"), fails="damaged")
add("bad-stream.kdbx", database(simple, inner=field(1, struct.pack("<I", 1)) + field(0, b"")), fails="damaged")
add("gzip-broken.kdbx", database(None, payload=b"\x1f\x8b\x08 not gzip"), fails="damaged")
folder.write()
inside("kdbx-everywhere", content(everywhere))
inside("kdbx-groups", content(grouped, stream=2))
inside("kdbx-steam", content(steam))
