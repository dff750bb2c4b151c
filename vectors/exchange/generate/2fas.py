"""2FAS: after BackupContent.kt of twofas/2fas-android; PBKDF2 and AES-GCM by `cryptography`. `lib2fas` 1.0 reads the
encrypted ones."""

import base64

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from common import ALL, COUNTER, FIRST, LONG_PASSWORD, PASSWORD, SECOND, STEAM, Folder, account, changed, drawn, dump, nested, secret

REFERENCE = (
    b"tRViSsLKzd86Hprh4ceC2OP7xazn4rrt4xhfEUbOjxLX8Rc3mkISXE0lWbmnWfggogbBJhtYgpK6fMl1D6mtsy92R3HkdGfwuXbzLebqVFJsR7IZ2w58t938"
    b"iymwG4824igYy1wi6n2WDpO1Q1P69zwJGs2F5a1qP4MyIiDSD7NCV2OvidXQCBnDlGfmz0f1BQySRkkt4ryiJeCjD2o4QsveJ9uDBUn8ELyOrESv5R5DMDkD"
    b"4iAF8TXU7KyoJujd"
)


def service(a, position=0, **more):
    otp = {
        "label": a["name"], "account": a["name"], "issuer": a["issuer"], "digits": a["digits"], "period": a["period"],
        "algorithm": a["algorithm"], "tokenType": a["kind"].upper(), "source": "Link",
    }
    if a["kind"] == "hotp":
        del otp["period"]
        otp["counter"] = a["counter"]
    whole = {
        "name": a["issuer"], "secret": a["secret"], "updatedAt": 1702934567518, "otp": otp, "order": {"position": position},
        "icon": {
            "selected": "Label", "label": {"text": "EX", "backgroundColor": "Orange"},
            "iconCollection": {"id": "a5b3fb65-4ec5-43e6-8ec1-49e24ca9e7ad"},
        },
    }
    return {**whole, **more}


def backup(services, schema=4, **more):
    whole = {
        "services": services, "groups": [], "updatedAt": 1702934732299, "schemaVersion": schema, "appVersionCode": 5000009,
        "appVersionName": "5.1.0", "appOrigin": "android",
    }
    return dump({**whole, **more})


def sealed(data, password, label, salt="salt", damage=None):
    salt, nonce = drawn(salt, 256), drawn(label + " nonce", 12)
    key = PBKDF2HMAC(SHA256(), 32, salt, 10_000).derive(password.encode())
    out = AESGCM(key).encrypt(nonce, data, None)
    out = damage(out) if damage else out
    return ":".join(base64.b64encode(part).decode() for part in (out, salt, nonce))


def encrypted(services, password=PASSWORD, schema=4, damage=None, **more):
    data = services if isinstance(services, bytes) else dump(services)
    fields = {
        "servicesEncrypted": sealed(data, password, "services", damage=damage),
        "reference": sealed(REFERENCE, password, "reference"),
    }
    return backup([], schema, **{**fields, **more})


folder = Folder("2fas", "generated after BackupContent.kt of 2FAS")
services = [service(a, i) for i, a in enumerate(ALL)]
folder.good("plain-4.2fas", backup(services), ALL)
folder.good("plain-3.2fas", backup(services, 3), ALL)
folder.good("plain-2.2fas", backup(services, 2), ALL)
bare = changed(service(FIRST), otp={"account": FIRST["name"], "issuer": FIRST["issuer"], "label": "Example:" + FIRST["name"]}, type="Unknown")
labelled = changed(bare, otp={"label": "Example:" + FIRST["name"]})
folder.good("plain-1.2fas", dump({"appOrigin": "android", "schemaVersion": 1, "services": [bare, labelled]}), [FIRST, FIRST])
groups = [{"id": "g-1", "name": "Work", "isExpanded": True}]
grouped = [service(FIRST, groupId="g-1"), service(SECOND), service(COUNTER, groupId="gone")]
folder.good("groups.2fas", backup(grouped, groups=groups), [FIRST, SECOND, COUNTER], groups=[["Work"], [], []])
folder.good("empty.2fas", backup([]), [])
folder.good("encrypted-4.2fas", encrypted(services), ALL, PASSWORD)
folder.good("encrypted-3.2fas", encrypted(services, LONG_PASSWORD, 3), ALL, LONG_PASSWORD)
folder.good("encrypted-groups.2fas", encrypted(grouped, groups=groups), [FIRST, SECOND, COUNTER], PASSWORD, groups=[["Work"], [], []])
folder.good("encrypted-no-reference.2fas", encrypted(services, reference=None), ALL, PASSWORD)

folder.good("steam.2fas", backup([service(FIRST), service(STEAM)]), [FIRST, STEAM])
three = [service(FIRST), service(SECOND), service(COUNTER)]
otp = three[1]["otp"]
folder.one_bad(backup, three, [FIRST, SECOND, COUNTER], [
    ("secret", changed(three[1], secret="not base32!"), "invalid"),
    ("no-secret", changed(three[1], secret=None), "missing"),
    ("digits", changed(three[1], otp=changed(otp, digits=5)), "invalid"),
    ("digits-type", changed(three[1], otp=changed(otp, digits=[6])), "invalid"),
    ("algorithm", changed(three[1], otp=changed(otp, algorithm="SHA224")), "invalid"),
    ("algorithm-type", changed(three[1], otp=changed(otp, algorithm=1)), "invalid"),
    ("period", changed(three[1], otp=changed(otp, period=-30)), "invalid"),
    ("counter", changed(three[1], otp=changed(otp, tokenType="HOTP")), "missing"),
    ("type", changed(three[1], otp=changed(otp, tokenType="PUSH")), "unsupported"),
    ("text", "service", "missing"),
], ".2fas")
folder.fails("wrong-password.2fas", encrypted(services), "wrong-password", "incorrect horse")
folder.fails("wrong-password-no-reference.2fas", encrypted(services, reference=None), "wrong-password-or-damaged", "no")
flip = lambda data: data[:50] + bytes([data[50] ^ 1]) + data[51:]
folder.fails("damaged.2fas", encrypted(services, damage=flip), "damaged", PASSWORD)
folder.fails("cut-off-inside.2fas", encrypted(services, damage=lambda data: data[:50]), "damaged", PASSWORD)
folder.fails("not-json-inside.2fas", encrypted(b"hello"), "damaged", PASSWORD)
folder.fails("object-inside.2fas", encrypted({}), "damaged", PASSWORD)
folder.fails("two-parts.2fas", encrypted(services, servicesEncrypted="AAAA:AAAA"), "damaged")
folder.fails("four-parts.2fas", encrypted(services, servicesEncrypted="AAAA:AAAA:AAAA:AAAA"), "damaged")
folder.fails("not-base64.2fas", encrypted(services, servicesEncrypted="!:!:!"), "damaged")
folder.fails("salt.2fas", encrypted(services, servicesEncrypted="AAAA:" + "A" * 4096 + ":AAAA"), "damaged")
folder.fails("cut-off.2fas", backup(services)[:400], "unrecognized")
folder.fails("schema-5.2fas", backup(services, 5), "version")
folder.fails("schema-0.2fas", backup(services, 0), "version")
folder.fails("schema-text.2fas", backup(services, "four"), "version")
folder.fails("services-text.2fas", backup("services"), "damaged")
folder.fails("groups-text.2fas", backup(services, groups="groups"), "damaged")
folder.fails("nested.2fas", b'{"schemaVersion":4,"services":' + nested() + b"}", "unrecognized")
folder.write()
