"""OTP Auth backups, from decrypt-otpauth-files of the app's author, RNCryptor's specification of version 3, and Python's plistlib.
Packages: cryptography.
"""

import hashlib
import hmac
import plistlib
import struct
from plistlib import UID

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from fixtures import Folder, fixed, inside, secret, uri

PASSWORD = "abc123"


def cbc(key, vector, data):
    padding = 16 - len(data) % 16
    return Cipher(algorithms.AES(key), modes.CBC(vector)).encryptor().update(data + bytes([padding] * padding))


class Archiver:
    """NSKeyedArchiver's objects, each by its place."""

    def __init__(self):
        self.objects = ["$null"]
        self.classes = {}

    def add(self, value):
        self.objects.append(value)
        return UID(len(self.objects) - 1)

    def named(self, *names):
        if names[0] not in self.classes:
            self.classes[names[0]] = self.add({"$classname": names[0], "$classes": list(names)})
        return self.classes[names[0]]

    def array(self, items):
        return self.add({"NS.objects": items, "$class": self.named("NSMutableArray", "NSArray", "NSObject")})

    def dictionary(self, values):
        keys = [self.add(key) for key in values]
        return self.add({"NS.keys": keys, "NS.objects": list(values.values()), "$class": self.named("NSDictionary", "NSObject")})

    def data(self, value, mutable=True):
        return self.add({"NS.data": value, "$class": self.named("NSMutableData", "NSData", "NSObject")} if mutable else value)

    def string(self, value, mutable=False):
        return self.add({"NS.string": value, "$class": self.named("NSMutableString", "NSString", "NSObject")} if mutable else value)

    def dumps(self, root):
        top = {"$version": 100000, "$archiver": "NSKeyedArchiver", "$top": {"root": root}, "$objects": self.objects}
        return plistlib.dumps(top, fmt=plistlib.FMT_BINARY, sort_keys=False)


def account(key, mutable=False, **more):
    """A function that archives an account."""
    def write(archiver):
        fields = {"label": "alice", "issuer": "Acme", "secret": key, "type": 2, "algorithm": 1, "digits": 6, "counter": 0, "period": 30, **more}
        out = {"$class": archiver.named("ACOTPAccount", "NSObject")}
        for name, value in fields.items():
            if value is None:
                continue
            if name == "secret":
                value = archiver.data(value, mutable) if isinstance(value, bytes) else archiver.add(value)
            elif isinstance(value, str):
                value = archiver.string(value, mutable)
            out[name] = value
        out["refDate"] = archiver.add({"NS.time": 500000000.5, "$class": archiver.named("NSDate", "NSObject")})
        return archiver.add(out)
    return write


def inner(*folders):
    archiver = Archiver()
    written = []
    for name, accounts in folders:
        accounts = archiver.array([write(archiver) for write in accounts])
        written.append(archiver.add({"name": archiver.string(name), "accounts": accounts, "$class": archiver.named("ACOTPFolder", "NSObject")}))
    return archiver.dumps(archiver.dictionary({"Folders": archiver.array(written), "DeletedAccounts": archiver.array([])}))


def rncryptor(data, password=PASSWORD, version=3, options=1):
    salts = [fixed("encryption salt", 8), fixed("hmac salt", 8)]
    keys = [PBKDF2HMAC(hashes.SHA1(), 32, salt, 10_000).derive(password.encode()) for salt in salts]
    vector = fixed("vector", 16)
    out = bytes([version, options]) + salts[0] + salts[1] + vector + cbc(keys[0], vector, data)
    return out + hmac.new(keys[1], out, hashlib.sha256).digest()


def outer(wrapped, version=1.1, name="Authenticator", key="WrappedData", mutable=True):
    archiver = Archiver()
    values = {"Version": archiver.add(version)}
    if wrapped is not None:
        values[key] = archiver.data(wrapped, mutable)
    return seal(archiver.dumps(archiver.dictionary(values)), name)


def seal(data, name="Authenticator"):
    return cbc(hashlib.sha256(name.encode()).digest(), bytes(16), data)


def backup(*folders, **more):
    return outer(rncryptor(inner(*folders)), **more)


A, B = secret("a"), secret("b", 32)
ALICE = uri("alice", A, "Acme")
ONE = ("Folder", [account(A)])

folder = Folder("otp-auth", "generate/otp-auth.py, from decrypt-otpauth-files (CooperRS) and decrypt-otpauth-ts (neo773)")
add = lambda *args, **more: folder.add(*args, **{"password": PASSWORD, **more})
bare = folder.add
add("simple.otpauthdb", backup(ONE), [ALICE], groups=[["Folder"]])
add("parameters.otpauthdb", backup(("", [
    account(A, digits=8, period=60, label="a"), account(B, algorithm=2, label="b"), account(B, algorithm=3, label="c"),
    account(A, algorithm=0, label="d"), account(A, type=1, counter=7, label="e")])),
    [uri("a", A, "Acme", digits=8, period=60), uri("b", B, "Acme", "SHA256"), uri("c", B, "Acme", "SHA512"), uri("d", A, "Acme"),
     uri("e", A, "Acme", counter=7)], groups=[[]] * 5)
MUTABLE = ("F", [account(A, mutable=True)])
add("mutable.otpauthdb", backup(MUTABLE, mutable=False), [ALICE])
FOLDERS = [("Work", [account(A)]), ("Empty", []), ("Bücher 📚", [account(B, label="käthe", issuer="")])]
add("folders.otpauthdb", backup(*FOLDERS),
    [ALICE, uri("käthe", B)], groups=[["Work"], ["Bücher 📚"]])
add("long-name.otpauthdb", backup(("x" * 1000, [account(A)])), [ALICE], groups=[["x" * 128]])
add("empty.otpauthdb", backup(), [])
add("many-objects.otpauthdb", backup(("F", [account(secret(str(n)), label=str(n)) for n in range(100)])), [uri(str(n), secret(str(n)), "Acme") for n in range(100)])

add("bad-entries.otpauthdb", backup(("F", [
    account(A), account(None), account("text"), account(A, digits=99), account(A, type=0), account(A, algorithm=4), account(A, period=0),
    account(A, digits=None), account(A, counter=-1, type=1), account(b""), account(A)])), [ALICE, ALICE],
    errors=[[2, "missing"], [3, "invalid"], [4, "invalid"], [5, "unsupported"], [6, "invalid"], [7, "invalid"], [8, "missing"], [9, "invalid"], [10, "invalid"]])
add("long-secret.otpauthdb", backup(("F", [account(bytes(1_025)), account(A)])), [ALICE], errors=[[1, "invalid"]])
add("wrong-password.otpauthdb", backup(ONE), password="abc124", fails="wrong-password-or-damaged")
changed = bytearray(rncryptor(inner(ONE)))
changed[100] ^= 1
add("changed.otpauthdb", outer(bytes(changed)), fails="wrong-password-or-damaged")
bare("truncated.otpauthdb", backup(ONE)[:-160], fails="damaged")
bare("version-1.0.otpauthdb", backup(ONE, version=1.0), fails="version")
bare("version-2.otpauthdb", backup(ONE, version=2), fails="version")
bare("version-text.otpauthdb", backup(ONE, version="1.1"), fails="version")
bare("account.otpauth", backup(ONE, name="OTPAuth"), fails="unsupported")
bare("no-data.otpauthdb", outer(None), fails="damaged")
bare("short-data.otpauthdb", outer(b"\x03\x01" + bytes(20)), fails="damaged")
bare("rncryptor-2.otpauthdb", outer(rncryptor(b"x", version=2)), fails="unsupported")
bare("rncryptor-key.otpauthdb", outer(rncryptor(b"x", options=0)), fails="unsupported")
add("not-a-plist.otpauthdb", outer(rncryptor(b"not a property list")), fails="damaged")
add("no-folders.otpauthdb", outer(rncryptor((lambda a: a.dumps(a.dictionary({})))(Archiver()))), fails="damaged")
loop = Archiver()
array = loop.add({"NS.objects": [UID(1)] * 3})
loop.objects[1] = {"NS.objects": [UID(1)] * 3, "accounts": UID(1), "name": UID(1)}
add("loop.otpauthdb", outer(rncryptor(loop.dumps(loop.dictionary({"Folders": UID(1)})))), [], errors=[[n + 1, "missing"] for n in range(9)], groups=[])
huge = Archiver()
add("many.otpauthdb", outer(rncryptor(huge.dumps(huge.dictionary({"Folders": huge.array([UID(1)] * 20_001)})))), fails="too-large")
bare("lying-counts.otpauthdb", seal(b"bplist00" + b"\xaf\x13" + b"\x7f" * 8 + bytes(6) + b"\x08\x08" + struct.pack(">QQQ", 2**63, 2**62, 2**61)), fails="damaged")
folder.write()
inside("otp-auth-folders", inner(*FOLDERS))
inside("otp-auth-mutable", inner(MUTABLE))
