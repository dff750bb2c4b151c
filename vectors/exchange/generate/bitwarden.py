"""Bitwarden: after its help ("Encrypted exports") and the exporters of bitwarden/clients; cryptography by `cryptography` and
`argon2-cffi`. The exports of Bitwarden Authenticator: after bitwarden/android."""

import base64
import csv
import hashlib
import io
import zipfile

from argon2.low_level import Type, hash_secret_raw
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from cryptography.hazmat.primitives.padding import PKCS7

from common import ALL, COUNTER, FIRST, LONG_PASSWORD, PASSWORD, SECOND, STEAM, Folder, account, changed, drawn, dump, nested, secret, uri

VAULT = "generated after the exporters of Bitwarden's clients"
APP = "generated after the exporter of Bitwarden Authenticator"


def login(a, totp=None, **more):
    fields = {
        "passwordHistory": None, "revisionDate": "2024-01-01T00:00:00.000Z", "creationDate": "2024-01-01T00:00:00.000Z",
        "deletedDate": None, "id": "aaaaaaaa-0000-4000-8000-000000000001", "organizationId": None, "folderId": None, "type": 1,
        "reprompt": 0, "name": a["issuer"], "notes": None, "favorite": False,
        "login": {"fido2Credentials": [], "uris": [], "username": a["name"], "password": "hunter2", "totp": totp or uri(a)},
        "collectionIds": None,
    }
    return {**fields, **more}


NOTE = {"id": "n", "type": 2, "name": "a note", "notes": "x", "secureNote": {"type": 0}}
WITHOUT = login(FIRST)
WITHOUT["login"] = {"username": "x", "password": "y", "totp": None}


def export(items, folders=(), **more):
    return dump({"encrypted": False, "folders": list(folders), "items": items, **more})


def seal(keys, data, label, code=None):
    vector = drawn(label, 16)
    padder = PKCS7(128).padder()
    cipher = Cipher(algorithms.AES(keys[0]), modes.CBC(vector)).encryptor()
    sealed = cipher.update(padder.update(data) + padder.finalize()) + cipher.finalize()
    mac = HMAC(keys[1], SHA256())
    mac.update(vector + sealed)
    return "2." + "|".join(base64.b64encode(part).decode() for part in (vector, sealed, code or mac.finalize()))


def encrypted(data, password=PASSWORD, kind=0, rounds=5000, memory=None, lanes=None, asked=None, code=None, **more):
    salt = base64.b64encode(drawn("bitwarden salt", 16)).decode()
    if kind == 0:
        key = PBKDF2HMAC(SHA256(), 32, salt.encode(), rounds).derive(password.encode())
    else:
        hashed = hashlib.sha256(salt.encode()).digest()
        key = hash_secret_raw(password.encode(), hashed, rounds, memory * 1024, lanes, 32, Type.ID)
    keys = [HKDFExpand(SHA256(), 32, info).derive(key) for info in (b"enc", b"mac")]
    fields = {
        "encrypted": True, "passwordProtected": True, "salt": salt, "kdfType": kind, "kdfIterations": rounds, "kdfMemory": memory,
        "kdfParallelism": lanes,
        "encKeyValidation_DO_NOT_EDIT": seal(keys, b"5f2ab6a8-8a07-4f4c-a2ea-1f8d38f3b4a5", "validation"),
        "data": seal(keys, data, "data", code),
    }
    return dump({**fields, **(asked or {}), **more})


def table(rows, columns="folder,favorite,type,name,notes,fields,reprompt,login_uri,login_username,login_password,login_totp"):
    out = io.StringIO()
    writer = csv.DictWriter(out, columns.split(","), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def row(a, totp=None, **more):
    return {"type": "login", "name": a["issuer"], "login_username": a["name"], "login_totp": totp or uri(a), **more}


folder = Folder("bitwarden", VAULT)
bare = account("Bare", "b", secret("bitwarden"))
items = [NOTE, *map(login, ALL), WITHOUT, login(bare, bare["secret"].lower())]
everything = [*ALL, bare]
data = export(items)
folder.good("vault.json", data, everything)
folders = [{"id": "f-1", "name": "Work/Servers"}, {"id": "f-2", "name": "Home"}]
filed = [login(FIRST, folderId="f-1"), login(SECOND, folderId="f-2"), login(COUNTER, folderId="gone")]
folder.good("folders.json", export(filed, folders), [FIRST, SECOND, COUNTER], groups=[["Work", "Servers"], ["Home"], []])
collections = [{"id": "c-1", "organizationId": "o", "name": "Team", "externalId": None}]
shared = dump({"encrypted": False, "collections": collections, "items": [login(FIRST, collectionIds=["c-1"]), login(SECOND, collectionIds=[])]})
folder.good("organization.json", shared, [FIRST, SECOND], groups=[["Team"], []])
folder.good("empty.json", export([]), [])
unnamed = changed(FIRST, issuer="GitHub", name="me")
folder.good("unnamed-uri.json", export([login(unnamed, "otpauth://totp/?secret=" + FIRST["secret"])]), [unnamed])
app = {"encrypted": False, "items": [
    {"id": "i", "name": a["issuer"], "folderId": None, "organizationId": None, "collectionIds": None, "notes": None, "type": 1,
     "login": {"totp": uri(a)}, "favorite": False} for a in ALL[:3]
]}
folder.good("authenticator.json", dump(app), ALL[:3], source=APP)
folder.good("encrypted-pbkdf2.json", encrypted(data), everything, PASSWORD)
folder.good("encrypted-pbkdf2-app.json", encrypted(data, LONG_PASSWORD, rounds=600_000), everything, LONG_PASSWORD)
folder.good("encrypted-argon2.json", encrypted(data, kind=1, rounds=2, memory=16, lanes=1), everything, PASSWORD)
folder.good("encrypted-argon2-app.json", encrypted(data, kind=1, rounds=3, memory=64, lanes=4), everything, PASSWORD)
rows = [row(FIRST, folder="Work"), row(SECOND, notes='two\nlines, "quoted"'), {"type": "note", "name": "x"}, row(bare, bare["secret"])]
folder.good("vault.csv", table(rows), [FIRST, SECOND, bare], groups=[["Work"], [], []])
columns = "collections,type,name,notes,fields,reprompt,login_uri,login_username,login_password,login_totp"
folder.good("organization.csv", table([row(FIRST, collections="Team")], columns), [FIRST], groups=[["Team"]])
lines = ["folder,favorite,type,name,login_uri,login_totp"] + [f",,1,{a['issuer']},,{uri(a)},{a['issuer']},30,6" for a in ALL[:2]]
folder.good("authenticator.csv", "\n".join(lines).encode(), ALL[:2], source=APP)
folder.good("older.csv", table([row(FIRST)], "folder,favorite,type,name,notes,fields,login_uri,login_username,login_password,login_totp"), [FIRST])


def archive(content, name="data.json"):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for member, data in [(name, content), ("attachments/i-1/photo.txt", b"x")]:
            file.writestr(zipfile.ZipInfo(member, (2024, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


folder.good("vault.zip", archive(data), everything)

steam = login(STEAM, "steam://" + STEAM["secret"])
folder.good("steam.json", export([login(FIRST), steam]), [FIRST, STEAM])
folder.good("steam.csv", table([row(FIRST), row(STEAM, "steam://" + STEAM["secret"])]), [FIRST, STEAM])
three = [login(FIRST), login(SECOND), login(COUNTER)]
bad = lambda totp: login(SECOND, totp)
number = login(SECOND)
number["login"]["totp"] = 7
folder.one_bad(export, three, [FIRST, SECOND, COUNTER], [
    ("secret", bad("hello 0"), "invalid"),
    ("uri-secret", bad("otpauth://totp/x?secret=!"), "invalid"),
    ("digits", bad(uri(SECOND) + "&digits=3"), "invalid"),
    ("type", bad("otpauth://yaotp/x?secret=" + SECOND["secret"]), "unsupported"),
    ("number", number, "invalid"),
    ("name", login(bare, bare["secret"], name="a\tb"), "invalid"),
])
folder.partly("bad-secret.csv", table([row(FIRST), row(SECOND, "0"), row(COUNTER)]), [FIRST, COUNTER], [[2, "invalid"]])
folder.fails("account-restricted.json", dump({"encrypted": True, "encKeyValidation_DO_NOT_EDIT": "2.a|b|c", "folders": [], "items": []}), "unsupported")
folder.fails("wrong-password.json", encrypted(data), "wrong-password", "incorrect horse")
folder.fails("wrong-password-argon2.json", encrypted(data, kind=1, rounds=2, memory=16, lanes=1), "wrong-password", "incorrect horse")
folder.fails("damaged.json", encrypted(data, code=drawn("x", 32)), "damaged", PASSWORD)
folder.fails("not-json.json", encrypted(b"hello"), "damaged", PASSWORD)
folder.fails("items-missing.json", encrypted(b"{}"), "damaged", PASSWORD)
folder.fails("two-parts.json", encrypted(data, asked={"data": "2.AAAA|AAAA"}), "damaged")
folder.fails("type-7.json", encrypted(data, asked={"data": "7.AAAA"}), "unsupported")
folder.fails("no-validation.json", encrypted(data, encKeyValidation_DO_NOT_EDIT=None), "damaged")
folder.fails("kdf-type.json", encrypted(data, asked={"kdfType": 2}), "unsupported")
folder.fails("rounds.json", encrypted(data, asked={"kdfIterations": 4_000_000_000}), "costly")
folder.fails("no-rounds.json", encrypted(data, asked={"kdfIterations": 0}), "damaged")
folder.fails("memory.json", encrypted(data, asked={"kdfType": 1, "kdfMemory": 65_536, "kdfParallelism": 4, "kdfIterations": 3}), "costly")
folder.fails("memory-most.json", encrypted(data, asked={"kdfType": 1, "kdfMemory": (1 << 64) - 1, "kdfParallelism": 4, "kdfIterations": 3}), "costly")
folder.fails("lanes.json", encrypted(data, asked={"kdfType": 1, "kdfMemory": 16, "kdfParallelism": 1 << 30, "kdfIterations": 3}), "damaged")
folder.fails("other.zip", archive(data, "other.json"), "unrecognized")
folder.fails("bomb.zip", archive(b"[" + b" " * (33 << 20) + b"]"), "unrecognized")
folder.fails("items-text.zip", archive(export("x")), "damaged")
folder.fails("items-text.json", export("x"), "damaged")
folder.fails("cut-off.json", data[:500], "unrecognized")
folder.fails("nested.json", b'{"encrypted":false,"items":' + nested() + b"}", "unrecognized")
folder.write()
