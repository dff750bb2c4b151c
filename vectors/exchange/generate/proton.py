"""Proton Authenticator: after proton-authenticator in protonpass/proton-pass-common; Argon2 by `argon2-cffi`, AES by `cryptography`."""

import base64

from argon2.low_level import Type, hash_secret_raw
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from common import FIRST, LONG_PASSWORD, PASSWORD, PLAIN, SECOND, STEAM, ALL, Folder, changed, drawn, dump, nested, uri

AAD = b"proton.authenticator.export.v1"


def entry(a, **more):
    # The app writes all parameters, at their defaults too.
    text = f"otpauth://totp/{a['name']}?secret={a['secret']}&issuer={a['issuer']}&algorithm={a['algorithm']}"
    text += f"&digits={a['digits']}&period={a['period']}"
    if "&" in a["issuer"]:
        text = uri(a)
    kind = "Totp"
    if a["kind"] == "steam":
        kind, text = "Steam", "steam://" + a["secret"]
    return {"id": "a19e0019-47e3-4d3b-af63-6dad0cb49e31", "content": {"uri": text, "entry_type": kind, "name": a["name"], **more}, "note": None}


def export(entries, version=1, **more):
    return dump({"version": version, "entries": entries, **more})


def encrypted(data, password=PASSWORD, version=1, aad=AAD, damage=None, **more):
    salt, nonce = drawn("proton salt", 16), drawn("proton nonce", 12)
    key = hash_secret_raw(password.encode(), salt, 2, 19 * 1024, 1, 32, Type.ID)
    content = nonce + AESGCM(key).encrypt(nonce, data, aad)
    content = damage(content) if damage else content
    fields = {"salt": base64.b64encode(salt).decode(), "content": base64.b64encode(content).decode()}
    return dump({"version": version, **fields, **more})


folder = Folder("proton", "generated after proton-authenticator in proton-pass-common")
TOTP = ALL[:3]
entries = [entry(a) for a in TOTP]
data = export(entries)
folder.good("plain.json", data, TOTP)
unnamed = entry(FIRST)
unnamed["content"]["uri"] = "otpauth://totp/?secret=" + FIRST["secret"]
folder.good("name.json", export([unnamed]), [changed(FIRST, issuer="")])
folder.good("note.json", export([{**entry(FIRST), "note": "x"}, entry(PLAIN[1])]), PLAIN[:2])
folder.good("empty.json", export([]), [])
folder.good("encrypted.json", encrypted(data), TOTP, PASSWORD)
folder.good("encrypted-long.json", encrypted(data, LONG_PASSWORD), TOTP, LONG_PASSWORD)

folder.good("steam.json", export([entry(FIRST), entry(STEAM)]), [FIRST, STEAM])
three = [entry(FIRST), entry(SECOND), entry(PLAIN[1])]
bad = lambda **fields: {"content": changed(three[1]["content"], **fields)}
folder.one_bad(export, three, [FIRST, SECOND, PLAIN[1]], [
    ("secret", bad(uri="otpauth://totp/x?secret=0"), "invalid"),
    ("no-secret", bad(uri="otpauth://totp/x"), "invalid"),
    ("no-uri", bad(uri=None), "missing"),
    ("uri-number", bad(uri=7), "missing"),
    ("type", bad(entry_type="Passkey"), "unsupported"),
    ("uri-type", bad(uri="otpauth://ocra/x?secret=" + FIRST["secret"]), "unsupported"),
    ("no-content", {}, "missing"),
])
folder.fails("wrong-password.json", encrypted(data), "wrong-password-or-damaged", "incorrect horse")
folder.fails("damaged.json", encrypted(data, damage=lambda d: d[:30] + b"x" + d[31:]), "wrong-password-or-damaged", PASSWORD)
folder.fails("aad.json", encrypted(data, aad=b"other"), "wrong-password-or-damaged", PASSWORD)
folder.fails("cut-off-inside.json", encrypted(data, damage=lambda d: d[:5]), "damaged", PASSWORD)
folder.fails("not-json-inside.json", encrypted(b"x"), "damaged", PASSWORD)
folder.fails("version-inside.json", encrypted(export(entries, 2)), "version", PASSWORD)
folder.fails("salt-short.json", encrypted(data, salt="AAAA"), "damaged")
folder.fails("salt-not-base64.json", encrypted(data, salt="*"), "damaged")
folder.fails("version-2.json", export(entries, 2), "version")
folder.fails("encrypted-version-2.json", encrypted(data, version=2), "version")
folder.fails("cut-off.json", data[:200], "unrecognized")
folder.fails("nested.json", b'{"version":1,"entries":' + nested() + b"}", "unrecognized")
folder.write()
