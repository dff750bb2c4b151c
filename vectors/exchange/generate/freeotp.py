"""FreeOTP 2 backups, from encryptor/EncryptedKey.java and encryptor/MasterKey.java of its repository, and from the Java Object
Serialization Specification. Packages: cryptography.
"""

import json
import struct

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from fixtures import Folder, fixed, secret, uri

PASSWORD = "correct horse"
signed = lambda data: [byte - 256 if byte > 127 else byte for byte in data]


def sealed(key, data, purpose, name):
    nonce = fixed("nonce " + name, 12)
    text = AESGCM(key).encrypt(nonce, data, purpose.encode())
    parameters = b"\x30\x11\x04\x0c" + nonce + b"\x02\x01\x10"
    return {"mCipher": "AES/GCM/NoPadding", "mCipherText": signed(text), "mParameters": signed(parameters), "mToken": purpose}


MASTER = fixed("master key", 32)


def master_key(rounds=100, algorithm="SHA512", salt=fixed("salt", 32), derive=True, **more):
    kdf = PBKDF2HMAC(getattr(hashes, algorithm)(), 32, salt, rounds if derive else 1)
    return {"mAlgorithm": f"PBKDF2withHmac{algorithm}", "mIterations": rounds, "mSalt": signed(salt),
            "mEncryptedKey": sealed(kdf.derive(PASSWORD.encode()), MASTER, "AES", "master"), **more}


def java_text(text):
    data = b"".join(
        bytes([0xC0, 0x80]) if c == "\0" else c.encode() if ord(c) < 0x10000
        else c.encode("utf-16-be", "surrogatepass")[:2].decode("utf-16-be", "surrogatepass").encode("utf-8", "surrogatepass")
        + c.encode("utf-16-be", "surrogatepass")[2:].decode("utf-16-be", "surrogatepass").encode("utf-8", "surrogatepass")
        for c in text
    )
    if len(data) > 0xFFFF:
        return b"\x7c" + struct.pack(">Q", len(data)) + data
    return b"\x74" + struct.pack(">H", len(data)) + data


def java_map(pairs, count=None):
    name = b"java.util.HashMap"
    out = bytes.fromhex("aced00057372") + struct.pack(">H", len(name)) + name + bytes.fromhex("0507dac1c31660d1") + b"\x03\x00\x02"
    out += b"F\x00\x0aloadFactorI\x00\x09threshold" + b"\x78\x70" + struct.pack(">fI", 0.75, 12)
    out += b"\x77\x08" + struct.pack(">II", 16, len(pairs) if count is None else count)
    return out + b"".join(java_text(key) + java_text(value) for key, value in pairs) + b"\x78"


def token(name, key, **more):
    """The two pairs of a token."""
    fields = {"algo": "SHA1", "digits": 6, "issuerExt": "Acme", "label": "alice", "period": 30, "type": "TOTP", **more}
    fields = {name: value for name, value in fields.items() if value is not None}
    inner = json.dumps(sealed(MASTER, key, "Hmac" + fields.get("algo", "SHA1"), name))
    return [(name, json.dumps({"key": inner})), (name + "-token", json.dumps(fields, ensure_ascii=False))]


def backup(*pairs, master=None, **more):
    master = [("masterKey", json.dumps(master or master_key()))]
    return java_map([*sum(pairs, []), *master, ("tokenOrder", "[]")], **more)


A, B = secret("a"), secret("b", 32)
ALICE = uri("alice", A, "Acme")
ONE = token("one", A)

folder = Folder("freeotp", "generate/freeotp.py, from the sources of FreeOTP 2")
add = lambda *args, **more: folder.add(*args, **{"password": PASSWORD, **more})
bare = folder.add
add("simple.xml", backup(ONE), [ALICE])
add("parameters.xml", backup(
    token("one", A, digits=8, period=60, label="a"), token("two", B, algo="SHA256", label="b"),
    token("three", B, algo="SHA512", label="c"), token("four", A, type="HOTP", counter=7, label="d", period=None)),
    [uri("a", A, "Acme", digits=8, period=60), uri("b", B, "Acme", "SHA256"), uri("c", B, "Acme", "SHA512"), uri("d", A, "Acme", counter=7)])
add("defaults.xml", backup(token("one", A, algo=None, digits=None, period=None)), [ALICE])
add("issuers.xml", backup(token("one", A, issuerExt=None, issuerInt="Inner"), token("two", A, issuerExt=None)),
    [uri("alice", A, "Inner"), uri("alice", A)])
add("emoji.xml", backup(token("one", A, issuerExt="Bücher 📚", label="käthe")), [uri("käthe", A, "Bücher 📚")])
add("sha1-derivation.xml", backup(ONE, master=master_key(algorithm="SHA1")), [ALICE])
add("real-parameters.xml", backup(ONE, master=master_key(100_000)), [ALICE])
add("empty.xml", backup(), [])
add("long-text.xml", backup(ONE, [("other", "x" * 70_000)]), [ALICE])

broken = sealed(MASTER, A, "HmacSHA1", "broken")
broken["mCipherText"][0] ^= 1
add("bad-entries.xml", backup(
    ONE, token("two", A, digits=99), token("three", A, type="MOTP"), token("four", A, algo="MD5"),
    [("five-token", "{}")], [("six", "not JSON"), ("six-token", "{}")], [("seven", json.dumps({"key": json.dumps(broken)})), ("seven-token", "{}")],
    token("eight", A, type="HOTP"), token("nine", A, period=0), token("ten", A, digits=[8])), [ALICE],
    errors=[[2, "invalid"], [3, "unsupported"], [4, "invalid"], [5, "missing"], [6, "invalid"], [7, "damaged"], [8, "missing"], [9, "invalid"], [10, "invalid"]])
add("steam.xml", backup(token("one", A, issuerExt="Steam", digits=5)), [uri("alice", A, "Steam", steam=True)])
add("wrong-password.xml", backup(ONE), password="wrong", fails="wrong-password")
bare("truncated.xml", backup(ONE)[:-40], fails="damaged")
bare("truncated-header.xml", backup(ONE)[:20], fails="unrecognized")
bare("no-master-key.xml", java_map([("x", "masterKey")]), fails="damaged")
bare("rounds.xml", backup(ONE, master=master_key(2**40, derive=False)), fails="costly")
bare("no-rounds.xml", backup(ONE, master=master_key(0, derive=False)), fails="damaged")
bare("rounds-negative.xml", backup(ONE, master=master_key(-5, derive=False)), fails="damaged")
bare("other-derivation.xml", backup(ONE, master=master_key(mAlgorithm="scrypt")), fails="unsupported")
bare("other-cipher.xml", backup(ONE, master=master_key(mEncryptedKey={**sealed(MASTER, A, "AES", "x"), "mCipher": "AES/CBC/PKCS5Padding"})), fails="damaged")
bare("short-salt.xml", backup(ONE, master=master_key(salt=b"12345678")), fails="damaged")
bare("numbers.xml", backup(ONE, master=master_key(mSalt=[1000] * 32)), fails="damaged")
bare("parameters-broken.xml", backup(ONE, master=master_key(mEncryptedKey={**sealed(MASTER, A, "AES", "x"), "mParameters": [48, 127, 4]})), fails="damaged")
bare("many.xml", backup(ONE, count=2**31 - 1), fails="too-large")
bare("more-than-there-are.xml", backup(ONE, count=9), fails="damaged")
bare("deep.xml", java_map([("masterKey", "[" * 5000)]), fails="damaged")
folder.write()
