"""cotp: after src/otp/otp_element.rs and src/crypto of replydev/cotp; Argon2 by `argon2-cffi`, XChaCha20-Poly1305 by `pynacl`."""

import base64

from argon2.low_level import Type, hash_secret_raw
from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_encrypt

from common import ALL, COUNTER, FIRST, LONG_PASSWORD, PASSWORD, SECOND, STEAM, Folder, account, changed, drawn, dump, nested, secret


def element(a, **more):
    fields = {
        "secret": a["secret"], "issuer": a["issuer"], "label": a["name"], "digits": a["digits"], "type": a["kind"].upper(),
        "algorithm": a["algorithm"], "period": a["period"], "counter": a["counter"] if a["kind"] == "hotp" else None, "pin": None,
    }
    return {**fields, **more}


def export(elements, version=2):
    return dump({"version": version, "elements": elements})


def database(data, password=PASSWORD, version=1, **more):
    salt, nonce = drawn("cotp salt", 16), drawn("cotp nonce", 24)
    key = hash_secret_raw(password.encode(), salt, 4, 32768, 4, 32, Type.ID)
    sealed = crypto_aead_xchacha20poly1305_ietf_encrypt(data, None, nonce, key)
    texts = {key: base64.b64encode(value).decode() for key, value in [("nonce", nonce), ("salt", salt), ("cipher", sealed)]}
    return dump({"version": version, **texts, **more})


folder = Folder("cotp", "generated after otp_element.rs and cryptography.rs of cotp")
elements = [element(a) for a in ALL]
data = export(elements)
folder.good("export.json", data, ALL)
folder.good("export-1.json", export(elements, 1), ALL)
folder.good("empty.json", export([]), [])
folder.good("db.cotp", database(data), ALL, PASSWORD)
folder.good("long.cotp", database(data, LONG_PASSWORD), ALL, LONG_PASSWORD)
folder.good("empty.cotp", database(export([])), [], PASSWORD)

folder.good("steam.json", export([element(FIRST), element(STEAM)]), [FIRST, STEAM])
three = [element(FIRST), element(SECOND), element(COUNTER)]
motp = element(account("mOTP", "m", "e3152afee62599c8", kind="motp"), pin="1234")
yandex = element(account("Yandex", "y", secret("yandex", 16), kind="yandex", digits=8), pin="1234")
folder.one_bad(export, three, [FIRST, SECOND, COUNTER], [
    ("secret", changed(three[1], secret="0"), "invalid"),
    ("no-secret", changed(three[1], secret=None), "missing"),
    ("type", changed(three[1], type="PUSH"), "unsupported"),
    ("no-type", changed(three[1], type=None), "missing"),
    ("algorithm", changed(three[1], algorithm="MD5"), "invalid"),
    ("digits", changed(three[1], digits=11), "invalid"),
    ("period", changed(three[1], period=0), "invalid"),
    ("counter", changed(three[2], counter=None), "missing"),
    ("motp", motp, "unsupported"),
    ("yandex", yandex, "unsupported"),
])
folder.fails("wrong-password.cotp", database(data), "wrong-password-or-damaged", "incorrect horse")
folder.fails("damaged.cotp", database(data, cipher="AAAA" * 20), "wrong-password-or-damaged", PASSWORD)
folder.fails("not-json.cotp", database(b"hello"), "damaged", PASSWORD)
folder.fails("version-inside.cotp", database(export(elements, 3)), "version", PASSWORD)
folder.fails("version-2.cotp", database(data, version=2), "version")
folder.fails("nonce.cotp", database(data, nonce="AAAA"), "damaged")
folder.fails("salt.cotp", database(data, salt="AAAA"), "damaged")
folder.fails("not-base64.cotp", database(data, cipher="*"), "damaged")
folder.fails("cut-off.cotp", database(data)[:100], "unrecognized")
folder.fails("version-3.json", export(elements, 3), "version")
folder.fails("elements-null.json", export(None), "damaged")
folder.fails("nested.json", b'{"version":2,"elements":' + nested() + b"}", "unrecognized")
folder.write()
