"""FreeOTP+: after Token.java of helloworld1/FreeOTPPlus, whose fields Gson writes."""

import base64

from common import COUNTER, FIRST, SECOND, STEAM, THIRD, Folder, changed, dump, nested


def raw(text):
    data = base64.b32decode(text + "=" * (-len(text) % 8))
    return [byte - 256 if byte > 127 else byte for byte in data]


def token(a, **more):
    fields = {
        "algo": a["algorithm"], "counter": a["counter"], "digits": a["digits"], "issuerExt": a["issuer"], "issuerInt": a["issuer"],
        "label": a["name"], "period": a["period"], "secret": raw(a["secret"]), "type": "HOTP" if a["kind"] == "hotp" else "TOTP",
    }
    return {**fields, **more}


def export(tokens, **more):
    names = [f"{t.get('issuerExt', '')}:{t['label']}" for t in tokens if isinstance(t, dict)]
    return dump({"tokenOrder": names, "tokens": tokens, **more})


folder = Folder("freeotp-plus", "generated after Token.java of FreeOTP+")
ALL = [FIRST, SECOND, THIRD, COUNTER]
tokens = [token(a) for a in ALL]
folder.good("plain.json", export(tokens), ALL)
new = changed(COUNTER, counter=0)
folder.good("new-counter.json", export([token(COUNTER, counter=-1)]), [new])
renamed = token(FIRST, issuerAlt="Renamed", labelAlt="me", image="content://x")
folder.good("renamed.json", export([renamed, token(SECOND, issuerAlt="")]), [changed(FIRST, issuer="Renamed", name="me"), SECOND])
bare = {"label": "alice", "secret": raw(FIRST["secret"])}
folder.good("bare.json", export([bare], tokenOrder=[]), [changed(FIRST, issuer="", name="alice")])
folder.good("no-issuer-parameter.json", export([changed(token(FIRST), issuerInt=None)]), [FIRST])
folder.good("empty.json", export([]), [])

steam = token(STEAM)
folder.good("steam.json", export([token(FIRST), steam]), [FIRST, STEAM])
three = [token(FIRST), token(SECOND), token(COUNTER)]
folder.one_bad(export, three, [FIRST, SECOND, COUNTER], [
    ("secret", changed(three[1], secret=[300]), "invalid"),
    ("secret-text", changed(three[1], secret="JBSWY3DP"), "invalid"),
    ("secret-empty", changed(three[1], secret=[]), "invalid"),
    ("secret-long", changed(three[1], secret=[1] * 1025), "invalid"),
    ("no-secret", changed(three[1], secret=None), "missing"),
    ("counter", changed(three[2], counter=-2), "invalid"),
    ("no-counter", changed(three[2], counter=None), "missing"),
    ("digits", changed(three[1], digits=4), "invalid"),
    ("algorithm", changed(three[1], algo="MD5"), "invalid"),
    ("period", changed(three[1], period=0.5), "invalid"),
    ("type", changed(three[1], type="PUSH"), "unsupported"),
    ("number", 7, "missing"),
])
folder.fails("cut-off.json", export(tokens)[:300], "unrecognized")
folder.fails("tokens-object.json", export({}), "damaged")
folder.fails("tokens-null.json", dump({"tokens": None, "tokenOrder": []}), "damaged")
folder.fails("nested.json", b'{"tokenOrder":[],"tokens":' + nested() + b"}", "unrecognized")
folder.write()
