"""vmfa's own export (docs/export.md), plain and as an age file under a passphrase (age-encryption.org/v1).

cryptography 50 encrypts, with fixed salts, so that each run writes the same bytes; pyrage 1.4 opens each file as a check.
"""

import base64
import hashlib
import hmac
import json
import textwrap

import pyrage
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from fixtures import Folder, fixed, secret, uri

PASSWORD = "correct horse"
CHUNK = 64 * 1024


def plain64(data):
    return base64.b64encode(data).decode().rstrip("=")


def derived(key, salt, info):
    return HKDF(hashes.SHA256(), 32, salt, info).derive(key)


def sealed(text, password=PASSWORD, work=10):
    """An age file with one scrypt stanza."""
    plaintext = text.encode()
    key, salt, nonce = fixed("age key", 16), fixed("age salt", 16), fixed("age nonce", 16)
    wrapping = hashlib.scrypt(password.encode(), salt=b"age-encryption.org/v1/scrypt" + salt, n=2**work, r=8, p=1,
                              maxmem=2**30, dklen=32)
    body = ChaCha20Poly1305(wrapping).encrypt(bytes(12), key, b"")
    header = f"age-encryption.org/v1\n-> scrypt {plain64(salt)} {work}\n{plain64(body)}\n---".encode()
    mac = hmac.digest(derived(key, b"", b"header"), header, "sha256")
    file = header + b" " + plain64(mac).encode() + b"\n" + nonce
    stream = ChaCha20Poly1305(derived(key, nonce, b"payload"))
    chunks = [plaintext[at:at + CHUNK] for at in range(0, len(plaintext), CHUNK)] or [b""]
    for number, chunk in enumerate(chunks):
        last = number == len(chunks) - 1
        file += stream.encrypt(number.to_bytes(11, "big") + bytes([last]), chunk, b"")
    assert pyrage.passphrase.decrypt(file, password) == plaintext
    return file


def armored(file):
    lines = "\n".join(textwrap.wrap(base64.b64encode(file).decode(), 64))
    return f"-----BEGIN AGE ENCRYPTED FILE-----\n{lines}\n-----END AGE ENCRYPTED FILE-----\n"


def document(*entries, version=1, **more):
    return json.dumps({"format": "vmfa-export", "version": version, "entries": list(entries), **more}, indent=2)


def item(text, *groups):
    return {"uri": text, "groups": list(groups)}


ALICE = uri("alice", secret("a"), "GitHub")
BOB = uri("bob", secret("b", 32), "Ünï & Co", "SHA512", 8, 60)
COUNTER = uri("carol", secret("c"), "Bank", counter=7)
STEAM = uri("frank", secret("d"), "Steam", steam=True)
ALL = [ALICE, BOB, COUNTER, STEAM]
SIMPLE = document(item(ALICE))
FULL = document(item(ALICE, "Work"), item(BOB, "Work", "Ops"), item(COUNTER), item(STEAM, "Games"))
GROUPS = [["Work"], ["Work", "Ops"], [], ["Games"]]

folder = Folder("vmfa", "generate/vmfa.py, from docs/export.md and age-encryption.org/v1")
add = folder.add
add("simple.json", SIMPLE, [ALICE])
add("full.json", FULL, ALL, groups=GROUPS)
add("empty.json", document(), [])
add("bom.json", "\ufeff" + SIMPLE, [ALICE])
add("no-groups.json", document({"uri": ALICE}, unknown=[1]), [ALICE], groups=[[]])
add("full.age", sealed(FULL), ALL, password=PASSWORD, groups=GROUPS)
add("armored.age", armored(sealed(SIMPLE)), [ALICE], password=PASSWORD)
several = [uri(f"user{number}", secret(str(number)), "Example") for number in range(600)]
add("several-chunks.age", sealed(document(*map(item, several))), several, password=PASSWORD)

# One bad entry among good ones.
add("no-uri.json", document(item(ALICE), {"groups": []}), [ALICE], errors=[[2, "missing"]])
add("no-secret.json", document(item("otpauth://totp/x"), item(ALICE)), [ALICE], errors=[[1, "invalid"]])
add("uri-of-another-type.json", document({"uri": 1}, item(ALICE), 5, "text"), [ALICE],
    errors=[[1, "invalid"], [3, "missing"], [4, "missing"]])
add("no-uri-scheme.json", document(item("https://example.com"), item(ALICE)), [ALICE], errors=[[1, "invalid"]])

# Nothing to read.
add("version-2.json", document(item(ALICE), version=2), fails="version")
add("version-text.json", document(item(ALICE), version="one"), fails="version")
add("no-list.json", '{"format": "vmfa-export", "version": 1}', fails="damaged")
add("many.json", '{"format":"vmfa-export","version":1,"entries":[' + ",".join(["{}"] * 20_001) + "]}", fails="too-large")
add("wrong-password.age", sealed(SIMPLE), password="another", fails="wrong-password")
whole = sealed(FULL)
add("cut-off.age", whole[:-20], password=PASSWORD, fails="damaged")
add("cut-in-header.age", whole[:60], password=PASSWORD, fails="damaged")
add("changed.age", whole[:-40] + bytes([whole[-40] ^ 1]) + whole[-39:], password=PASSWORD, fails="damaged")
add("changed-header.age", whole.replace(b"--- ", b"--- A", 1), password=PASSWORD, fails="damaged")
add("costly.age", whole.replace(b" 10\n", b" 30\n", 1), password=PASSWORD, fails="costly")
add("costlier.age", whole.replace(b" 10\n", b" 63\n", 1), password=PASSWORD, fails="costly")
add("backup.age", sealed('{"format": "vmfa-backup", "version": 1}'), password=PASSWORD, fails="unsupported")
add("something-else.age", sealed("hello"), password=PASSWORD, fails="unsupported")
folder.write()
