"""Aegis: after docs/vault.md of beemdevelopment/Aegis; scrypt and AES-GCM by `cryptography`."""

import base64

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from common import ALL, COUNTER, FIRST, LONG_PASSWORD, PASSWORD, SECOND, STEAM, Folder, account, changed, drawn, dump, nested, secret


def entry(a, **more):
    info = {"secret": a["secret"], "algo": a["algorithm"], "digits": a["digits"]}
    if a["kind"] == "hotp":
        info["counter"] = a["counter"]
    else:
        info["period"] = a["period"]
    return {
        "type": a["kind"], "uuid": "01234567-89ab-cdef-0123-456789abcdef", "name": a["name"], "issuer": a["issuer"],
        "note": "", "icon": None, "info": info, **more,
    }


def database(entries, version=3, **more):
    return {"version": version, "entries": entries, **more}


def plain(content, version=1):
    return dump({"version": version, "header": {"slots": None, "params": None}, "db": content})


def seal(key, nonce, data):
    sealed = AESGCM(key).encrypt(nonce, data, None)
    return sealed[:-16], {"nonce": nonce.hex(), "tag": sealed[-16:].hex()}


def slot(master, password, label, n=1 << 10, r=8, p=1, **more):
    salt = drawn(label + " salt", 32)
    # Hostile parameters are written down, not worked for.
    cheap = n * r <= 1 << 19
    key = Scrypt(salt, 32, n, r, p).derive(password.encode()) if cheap else drawn(label, 32)
    wrapped, params = seal(key, drawn(label + " nonce", 12), master)
    fields = {"type": 1, "uuid": "a8325752-c1be-458a-9b3e-5e0a8154d9ec", "key": wrapped.hex(), "key_params": params}
    return {**fields, "n": n, "r": r, "p": p, "salt": salt.hex(), "repaired": True, "is_backup": False, **more}


def encrypted(content, slots, master, damage=None, header=None):
    data, params = seal(master, drawn("content nonce", 12), content if isinstance(content, bytes) else dump(content))
    if damage:
        data = damage(data)
    whole = {"version": 1, "header": {"slots": slots, "params": params}, "db": base64.b64encode(data).decode()}
    if header:
        whole["header"].update(header)
    return dump(whole)


folder = Folder("aegis", "generated after docs/vault.md of Aegis")
entries = [entry(a) for a in ALL]
master = drawn("master", 32)
content = database(entries)
cheap = slot(master, PASSWORD, "cheap")

folder.good("plain.json", plain(database(entries, version=1)), ALL)
folder.good("plain-2.json", plain(database(entries, version=2)), ALL)
grouped = [entry(FIRST, group="Work"), entry(SECOND)]
folder.good("groups-1.json", plain(database(grouped, version=2)), [FIRST, SECOND], groups=[["Work"], []])
work, home = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
grouped = [entry(FIRST, groups=[home, work]), entry(SECOND, groups=[]), entry(COUNTER, groups=["gone"])]
groups = [{"uuid": work, "name": "Work"}, {"uuid": home, "name": "Home"}]
folder.good(
    "groups-3.json", plain(database(grouped, groups=groups)), [FIRST, SECOND, COUNTER], groups=[["Home", "Work"], [], []]
)
many = plain(database([entry(FIRST, groups=[work] * 40)], groups=[{"uuid": work, "name": "x" * 1000}]))
folder.good("groups-many.json", many, [FIRST], groups=[["x" * 128] * 16])
folder.good("empty.json", plain(database([])), [])
folder.good("encrypted.json", encrypted(content, [slot(master, PASSWORD, "app", n=1 << 15)], master), ALL, PASSWORD)
folder.good("encrypted-long.json", encrypted(content, [slot(master, LONG_PASSWORD, "long")], master), ALL, LONG_PASSWORD)
biometric = {key: value for key, value in slot(master, "", "biometric").items() if key not in ("n", "r", "p", "salt")}
biometric["type"] = 2
slots = [biometric, slot(master, "another", "first"), slot(master, PASSWORD, "backup", is_backup=True)]
folder.good("encrypted-slots.json", encrypted(content, slots, master), ALL, PASSWORD)

folder.good("steam.json", plain(database([entry(FIRST), entry(STEAM)])), [FIRST, STEAM])
three = [entry(FIRST), entry(SECOND), entry(COUNTER)]
info = three[1]["info"]
yandex = entry(account("Yandex", "y", secret("yandex", 16), kind="yandex", algorithm="SHA256", digits=8))
motp = entry(account("mOTP", "m", "e3152afee62599c8", kind="motp", algorithm="MD5"))
folder.one_bad(lambda e: plain(database(e)), three, [FIRST, SECOND, COUNTER], [
    ("secret", changed(three[1], info=changed(info, secret="JBSWY3DPEHPK3PX0")), "invalid"),
    ("no-secret", changed(three[1], info=changed(info, secret=None)), "missing"),
    ("digits", changed(three[1], info=changed(info, digits=12)), "invalid"),
    ("digits-text", changed(three[1], info=changed(info, digits="six")), "invalid"),
    ("algorithm", changed(three[1], info=changed(info, algo="MD5")), "invalid"),
    ("period", changed(three[1], info=changed(info, period=0)), "invalid"),
    ("counter", changed(three[1], type="hotp"), "missing"),
    ("type", changed(three[1], type="ocra"), "unsupported"),
    ("no-type", changed(three[1], type=None), "missing"),
    ("name", changed(three[1], name="a\u0007b"), "invalid"),
    ("number", 7, "missing"),
    ("yandex", yandex, "unsupported"),
    ("motp", motp, "unsupported"),
])
whole = encrypted(content, [cheap], master)
folder.fails("wrong-password.json", whole, "wrong-password", "incorrect horse")
folder.fails("empty-password.json", whole, "wrong-password", "")
folder.fails("damaged.json", encrypted(content, [cheap], master, lambda data: data[:40] + b"\0" + data[41:]), "damaged", PASSWORD)
folder.fails("cut-off-inside.json", encrypted(content, [cheap], master, lambda data: data[:40]), "damaged", PASSWORD)
folder.fails("not-json-inside.json", encrypted(b"not JSON", [cheap], master), "damaged", PASSWORD)
folder.fails("cut-off.json", whole[: len(whole) // 2], "unrecognized")
folder.fails("version-2.json", plain(content, version=2), "version")
folder.fails("content-version-4.json", plain(database(entries, version=4)), "version")
folder.fails("content-version-inside.json", encrypted(database(entries, version=9), [cheap], master), "version", PASSWORD)
folder.fails("only-biometric.json", encrypted(content, [biometric], master), "unsupported")
folder.fails("scrypt-n.json", encrypted(content, [slot(master, PASSWORD, "n", n=1 << 30)], master), "costly")
folder.fails("scrypt-r.json", encrypted(content, [slot(master, PASSWORD, "r", r=1 << 30)], master), "costly")
folder.fails("scrypt-p.json", encrypted(content, [changed(cheap, p=1 << 20)], master), "costly")
folder.fails("scrypt-n-odd.json", encrypted(content, [changed(cheap, n=1000)], master), "damaged")
folder.fails("scrypt-none.json", encrypted(content, [changed(cheap, n=None)], master), "damaged")
folder.fails("many-slots.json", encrypted(content, [slot(master, "x", str(i), n=2) for i in range(9)], master), "costly")
folder.fails("slot-not-hex.json", encrypted(content, [changed(cheap, salt="xyz")], master), "damaged")
folder.fails("no-tag.json", encrypted(content, [cheap], master, header={"params": {"nonce": "00"}}), "damaged")
folder.fails("db-number.json", dump({"version": 1, "header": {}, "db": 7}), "damaged")
folder.fails("entries-object.json", plain(database({})), "damaged")
folder.fails("too-many.json", plain(database([0] * 20_001)), "too-large")
folder.fails("nested.json", b'{"version":1,"header":{},"db":' + nested() + b"}", "unrecognized")
folder.write()
