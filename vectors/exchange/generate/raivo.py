"""Raivo OTP: after raivo-otp/ios-application; ZIP with AES by `pyzipper`, whose random numbers are made the same on each run."""

import io
import zipfile

import pyzipper
import pyzipper.zipfile_aes

from common import COUNTER, FIRST, LONG_PASSWORD, PASSWORD, SECOND, STEAM, THIRD, Folder, changed, drawn, dump, nested

NAME = "raivo-otp-export.json"
DATE = (2024, 1, 1, 0, 0, 0)


def entry(a, **more):
    fields = {
        "secret": a["secret"], "issuer": a["issuer"], "account": a["name"], "algorithm": a["algorithm"], "digits": str(a["digits"]),
        "timer": str(a["period"]), "counter": str(a["counter"]), "kind": a["kind"].upper(), "pinned": "false",
        "iconType": "", "iconValue": "",
    }
    return {**fields, **more}


class Random:
    @staticmethod
    def new():
        return io.BytesIO(drawn("raivo salt", 64))


pyzipper.zipfile_aes.Random = Random


def archive(data, password=PASSWORD, name=NAME, compression=zipfile.ZIP_DEFLATED, strength=256):
    out = io.BytesIO()
    encryption = {"encryption": pyzipper.WZ_AES} if password is not None else {}
    with pyzipper.AESZipFile(out, "w", compression=compression, **encryption) as file:
        if password is not None:
            file.setpassword(password.encode())
            file.setencryption(pyzipper.WZ_AES, nbits=strength)
        for member, content in [("raivo-otp-export.html", b"<html></html>"), (name, data)]:
            info = pyzipper.zipfile_aes.AESZipInfo(member, DATE)
            info.compress_type = compression
            file.writestr(info, content)
    return out.getvalue()


folder = Folder("raivo", "generated after the export of Raivo OTP")
ALL = [FIRST, SECOND, THIRD, COUNTER]
data = dump([entry(a) for a in ALL])
folder.good("plain.json", data, ALL)
folder.good("encrypted.zip", archive(data), ALL, PASSWORD)
folder.good("encrypted-long.zip", archive(data, LONG_PASSWORD), ALL, LONG_PASSWORD)
folder.good("encrypted-128.zip", archive(data, strength=128), ALL, PASSWORD)
folder.good("stored.zip", archive(data, compression=zipfile.ZIP_STORED), ALL, PASSWORD)
folder.good("not-encrypted.zip", archive(data, None), ALL)
folder.good("empty.zip", archive(b"[]"), [], PASSWORD)

folder.good("steam.json", dump([entry(FIRST), entry(STEAM)]), [FIRST, STEAM])
three = [entry(FIRST), entry(SECOND), entry(COUNTER)]
folder.one_bad(dump, three, [FIRST, SECOND, COUNTER], [
    ("secret", changed(three[1], secret="9"), "invalid"),
    ("no-secret", changed(three[1], secret=""), "missing"),
    ("digits", changed(three[1], digits="many"), "invalid"),
    ("timer", changed(three[1], timer="0"), "invalid"),
    ("counter", changed(three[2], counter="-1"), "invalid"),
    ("algorithm", changed(three[1], algorithm="SHA0"), "invalid"),
    ("kind", changed(three[1], kind="PUSH"), "unsupported"),
    ("null", None, "missing"),
])
whole = archive(data)
folder.fails("wrong-password.zip", whole, "wrong-password", "incorrect horse")
at = whole.rindex(b"PK\x03\x04") + 200
flipped = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
folder.fails("damaged.zip", flipped, "damaged", PASSWORD)
folder.fails("bomb.zip", archive(b"[" + b" " * (33 << 20) + b"]"), "too-large", PASSWORD)
folder.fails("not-json.zip", archive(b"hello"), "damaged", PASSWORD)
folder.fails("not-json-plain.zip", archive(b"hello", None), "damaged")
folder.fails("object.zip", archive(b"{}"), "damaged", PASSWORD)
folder.fails("other-name.zip", archive(data, name="other.json"), "unrecognized")
folder.fails("cut-off.zip", whole[:-30], "unrecognized")
folder.fails("cut-off.json", data[:200], "unrecognized")
folder.fails("nested.json", b"[" + nested() + b"]", "unrecognized")
# The size in both headers says one byte; what comes out is a bomb.
bomb = archive(b"[" + b" " * (33 << 20) + b"]", None)
size = ((33 << 20) + 2).to_bytes(4, "little")
assert size in bomb
folder.fails("bomb-lying.zip", bomb.replace(size, (1).to_bytes(4, "little")), "damaged")
folder.write()
