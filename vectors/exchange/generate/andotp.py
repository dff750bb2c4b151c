"""andOTP: after the wiki and the source of andOTP/andOTP; PBKDF2 and AES-GCM by `cryptography`."""

import hashlib
import struct

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from common import ALL, COUNTER, FIRST, LONG_PASSWORD, PASSWORD, SECOND, STEAM, Folder, changed, drawn, dump, nested


def entry(a, **more):
    fields = {
        "secret": a["secret"], "issuer": a["issuer"], "label": a["name"], "digits": a["digits"], "type": a["kind"].upper(),
        "algorithm": a["algorithm"], "thumbnail": "Default", "last_used": 1618417205843, "used_frequency": 0, "tags": [],
    }
    fields.update({"counter": a["counter"]} if a["kind"] == "hotp" else {"period": a["period"]})
    return {**fields, **more}


def new(data, password=PASSWORD, rounds=1000, asked=None):
    salt, nonce = drawn("andotp salt", 12), drawn("andotp nonce", 12)
    key = PBKDF2HMAC(SHA1(), 32, salt, rounds).derive(password.encode())
    return struct.pack(">I", asked or rounds) + salt + nonce + AESGCM(key).encrypt(nonce, data, None)


def old(data, password=PASSWORD, label="andotp old nonce"):
    nonce = drawn(label, 12)
    return nonce + AESGCM(hashlib.sha256(password.encode()).digest()).encrypt(nonce, data, None)


folder = Folder("andotp", "generated after the wiki of andOTP (Backups)")
entries = [entry(a) for a in ALL]
data = dump(entries)
folder.good("plain.json", data, ALL)
folder.good("tags.json", dump([entry(FIRST, tags=["Work", "AWS"]), entry(SECOND)]), [FIRST, SECOND], groups=[["Work", "AWS"], []])
dashed = changed(entry(FIRST, label="Example - alice@example.com"), issuer=None)
folder.good("label.json", dump([dashed, changed(entry(FIRST), issuer="")]), [FIRST, changed(FIRST, issuer="")])
folder.good("new.json.aes", new(data), ALL, PASSWORD)
folder.good("new-app.json.aes", new(data, LONG_PASSWORD, 152_391), ALL, LONG_PASSWORD)
folder.good("new-empty.json.aes", new(b"[]"), [], PASSWORD)
folder.good("old.json.aes", old(data), ALL, PASSWORD)
like_new = next(f"nonce {i}" for i in range(10**6) if 1_000 <= struct.unpack(">I", drawn(f"nonce {i}", 4))[0] <= 30_000)
folder.good("old-like-new.json.aes", old(data, label=like_new), ALL, PASSWORD)

folder.good("steam.json", dump([entry(FIRST), entry(STEAM)]), [FIRST, STEAM])
three = [entry(FIRST), entry(SECOND), entry(COUNTER)]
folder.one_bad(dump, three, [FIRST, SECOND, COUNTER], [
    ("secret", changed(three[1], secret="1"), "invalid"),
    ("no-secret", changed(three[1], secret=None), "missing"),
    ("digits", changed(three[1], digits=0), "invalid"),
    ("algorithm", changed(three[1], algorithm="SHA3"), "invalid"),
    ("period", changed(three[1], period="thirty"), "invalid"),
    ("counter", changed(three[2], counter=None), "missing"),
    ("type", changed(three[1], type="MOTP"), "unsupported"),
    ("no-type", changed(three[1], type=None), "missing"),
    ("null", None, "missing"),
])
folder.fails("new-wrong-password.json.aes", new(data), "wrong-password-or-damaged", "incorrect horse")
folder.fails("old-wrong-password.json.aes", old(data), "wrong-password-or-damaged", "incorrect horse")
folder.fails("new-cut-off.json.aes", new(data)[:200], "wrong-password-or-damaged", PASSWORD)
folder.fails("old-damaged.json.aes", old(data)[:-1] + b"x", "wrong-password-or-damaged", PASSWORD)
folder.fails("new-rounds.json.aes", new(data, asked=0xFFFFFFFF), "wrong-password-or-damaged", PASSWORD)
folder.fails("new-no-rounds.json.aes", new(data, asked=1), "wrong-password-or-damaged", PASSWORD)
folder.fails("new-not-json.json.aes", new(b"otpauth://totp/x"), "damaged", PASSWORD)
folder.fails("old-object.json.aes", old(b"{}"), "damaged", PASSWORD)
folder.fails("too-short.json.aes", old(b"")[:20], "unrecognized")
folder.fails("cut-off.json", data[:300], "unrecognized")
folder.fails("nested.json", b"[" + nested() + b"]", "unrecognized")
folder.write()
