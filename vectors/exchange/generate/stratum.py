"""Stratum: after doc/BACKUP_FORMAT.md and the restore of stratumauth/app; Argon2 by `argon2-cffi`, AES by `cryptography`."""

from argon2.low_level import Type, hash_secret_raw
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from cryptography.hazmat.primitives.padding import PKCS7

from common import ALL, COUNTER, FIRST, LONG_PASSWORD, PASSWORD, SECOND, STEAM, Folder, account, changed, drawn, dump, nested, secret

KINDS = {"hotp": 1, "totp": 2, "motp": 3, "steam": 4, "yandex": 5}


def entry(a, **more):
    fields = {
        "Type": KINDS[a["kind"]], "Icon": None, "Issuer": a["issuer"], "Username": a["name"] or None, "Secret": a["secret"], "Pin": None,
        "Algorithm": ["SHA1", "SHA256", "SHA512"].index(a["algorithm"]), "Digits": a["digits"], "Period": a["period"],
        "Counter": a["counter"], "CopyCount": 0, "Ranking": 0,
    }
    return {**fields, **more}


def backup(entries, **more):
    return dump({"Authenticators": entries, "Categories": [], "AuthenticatorCategories": [], "CustomIcons": [], **more})


def encrypted(data, password=PASSWORD):
    salt, nonce = drawn("stratum salt", 16), drawn("stratum nonce", 12)
    key = hash_secret_raw(password.encode(), salt, 3, 64 * 1024, 4, 32, Type.ID)
    return b"AUTHENTICATORPRO" + salt + nonce + AESGCM(key).encrypt(nonce, data, None)


def legacy(data, password=PASSWORD, pad=True):
    salt, vector = drawn("legacy salt", 20), drawn("legacy vector", 16)
    key = PBKDF2HMAC(SHA1(), 32, salt, 64_000).derive(password.encode())
    if pad:
        padder = PKCS7(128).padder()
        data = padder.update(data) + padder.finalize()
    cipher = Cipher(algorithms.AES(key), modes.CBC(vector)).encryptor()
    return b"AuthenticatorPro" + salt + vector + cipher.update(data) + cipher.finalize()


folder = Folder("stratum", "generated after the backup format of Stratum")
entries = [entry(a) for a in ALL]
data = backup(entries)
folder.good("plain.json", data, ALL)
bindings = [
    {"CategoryId": "aaaa1111", "AuthenticatorSecret": FIRST["secret"], "Ranking": 0},
    {"CategoryId": "bbbb2222", "AuthenticatorSecret": FIRST["secret"], "Ranking": 0},
    {"CategoryId": "gone", "AuthenticatorSecret": SECOND["secret"], "Ranking": 0},
]
categories = [{"Id": "aaaa1111", "Name": "Work", "Ranking": 0}, {"Id": "bbbb2222", "Name": "AWS", "Ranking": 1}]
folder.good(
    "categories.json", backup([entry(FIRST), entry(SECOND)], Categories=categories, AuthenticatorCategories=bindings),
    [FIRST, SECOND], groups=[["Work", "AWS"], []],
)
repeated = backup([entry(FIRST)] * 2, Categories=categories, AuthenticatorCategories=bindings[:1] * 40)
folder.good("categories-many.json", repeated, [FIRST] * 2, groups=[["Work"] * 16] * 2)
unnamed = changed(FIRST, name="")
folder.good("older.json", dump({"Authenticators": [entry(unnamed)], "Categories": None}), [unnamed])
folder.good("empty.json", backup([]), [])
folder.good("encrypted.stratum", encrypted(data), ALL, PASSWORD)
folder.good("encrypted-long.stratum", encrypted(data, LONG_PASSWORD), ALL, LONG_PASSWORD)
folder.good("legacy.authpro", legacy(data), ALL, PASSWORD)

folder.good("steam.json", backup([entry(FIRST), entry(STEAM)]), [FIRST, STEAM])
three = [entry(FIRST), entry(SECOND), entry(COUNTER)]
motp = entry(account("mOTP", "m", "e3152afee62599c8", kind="motp"))
yandex = entry(account("Yandex", "y", secret("yandex", 16), kind="yandex", digits=8))
folder.one_bad(backup, three, [FIRST, SECOND, COUNTER], [
    ("secret", changed(three[1], Secret="8"), "invalid"),
    ("no-secret", changed(three[1], Secret=None), "missing"),
    ("type", changed(three[1], Type=9), "unsupported"),
    ("no-type", changed(three[1], Type=None), "missing"),
    ("algorithm", changed(three[1], Algorithm=3), "invalid"),
    ("algorithm-text", changed(three[1], Algorithm="SHA1"), "invalid"),
    ("digits", changed(three[1], Digits=4_294_967_302), "invalid"),
    ("period", changed(three[1], Period=0), "invalid"),
    ("counter", changed(three[2], Counter=-1), "invalid"),
    ("motp", motp, "unsupported"),
    ("yandex", yandex, "unsupported"),
])
folder.fails("wrong-password.stratum", encrypted(data), "wrong-password-or-damaged", "incorrect horse")
folder.fails("damaged.stratum", encrypted(data)[:-1], "wrong-password-or-damaged", PASSWORD)
folder.fails("not-json.stratum", encrypted(b"hello"), "damaged", PASSWORD)
folder.fails("array.stratum", encrypted(b"[]"), "damaged", PASSWORD)
folder.fails("header-alone.stratum", b"AUTHENTICATORPRO", "damaged")
folder.fails("no-nonce.stratum", encrypted(data)[:36], "damaged")
folder.fails("legacy-wrong-password.authpro", legacy(data), "wrong-password-or-damaged", "incorrect horse")
folder.fails("legacy-cut-off.authpro", legacy(data)[:100], "wrong-password-or-damaged", PASSWORD)
folder.fails("legacy-padding.authpro", legacy(b"x" * 32, pad=False), "wrong-password-or-damaged", PASSWORD)
folder.fails("legacy-not-json.authpro", legacy(b"hello"), "wrong-password-or-damaged", PASSWORD)
folder.fails("legacy-no-vector.authpro", legacy(data)[:40], "damaged")
folder.fails("authenticators-text.json", dump({"Authenticators": "x"}), "damaged")
folder.fails("cut-off.json", data[:300], "unrecognized")
folder.fails("nested.json", b'{"Authenticators":' + nested() + b"}", "unrecognized")
folder.write()
