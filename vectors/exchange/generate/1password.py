"""1PUX, from support.1password.com/1pux-format. No packages."""

import io
import json
import struct
import zipfile

from fixtures import Folder, base32, secret, uri


def item(title, otp=None, user="u", tags=(), more_fields=(), **more):
    fields = [{"title": "note", "id": "n", "value": {"string": "x"}}]
    if otp is not None:
        fields.append({"title": "one-time password", "id": "TOTP_1", "value": {"totp": otp}, "indexAtSource": 0,
                       "guarded": False, "multiline": False, "dontGenerate": False})
    return {
        "uuid": "fkruyzrldvizuqlnavfj3gltfe", "favIndex": 1, "createdAt": 1614298956, "updatedAt": 1635346445,
        "state": "active", "categoryUuid": "001",
        "details": {
            "loginFields": [
                {"value": user, "id": "", "name": "username", "fieldType": "T", "designation": "username"},
                {"value": "pw", "id": "", "name": "password", "fieldType": "P", "designation": "password"},
            ],
            "notesPlain": "", "sections": [{"title": "Security", "name": "s", "fields": [*fields, *more_fields]}],
            "passwordHistory": [],
        },
        "overview": {"subtitle": "", "title": title, "url": "https://example.com", "tags": list(tags)},
        **more,
    }


def data(*items, vault="Personal"):
    return {"accounts": [{
        "attrs": {"accountName": "Wendy", "name": "Wendy", "email": "w@example.com", "uuid": "X", "domain": "https://my.1password.com/"},
        "vaults": [{"attrs": {"uuid": "v", "desc": "", "name": vault, "type": "P"}, "items": list(items)}],
    }]}


def archive(content, attributes={"version": 3, "description": "1Password Unencrypted Export", "createdAt": 1635346445}, method=8, extra=(), comment=b""):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.comment = comment
        members = [] if attributes is None else [("export.attributes", json.dumps(attributes))]
        members += [] if content is None else [("export.data", content if isinstance(content, (str, bytes)) else json.dumps(content))]
        for name, text in [*members, *extra]:
            info = zipfile.ZipInfo(name, (2024, 1, 1, 0, 0, 0))
            info.compress_type = method
            file.writestr(info, text)
    return out.getvalue()


A, B = secret("a"), secret("b")
ALICE = uri("alice", A, "GitHub")
GITHUB = item("GitHub", f"otpauth://totp/GitHub:alice?secret={base32(A)}&issuer=GitHub", "alice")

folder = Folder("1password", "generate/1password.py, from support.1password.com/1pux-format")
add = folder.add
add("simple.1pux", archive(data(GITHUB)), [ALICE], groups=[["Personal"]])
add("stored.1pux", archive(data(GITHUB), method=0), [ALICE])
add("bare-secrets.1pux", archive(data(item("Bare", base32(A), "bob"), item("Spaced", "abcd efgh ijkl mnop", "bob"))),
    [uri("bob", A, "Bare"), "otpauth://totp/Spaced:bob?secret=ABCDEFGHIJKLMNOP&issuer=Spaced"])
add("parameters.1pux", archive(data(
    item("P", f"otpauth://totp/P:u?secret={base32(B)}&algorithm=SHA256&digits=8&period=60"),
    item("H", f"otpauth://hotp/H:u?secret={base32(B)}&counter=5"),
    item("N", f"otpauth://totp/?secret={base32(B)}", "name"))),
    [uri("u", B, "P", "SHA256", 8, 60), uri("u", B, "H", counter=5), uri("name", B, "N")])
add("tags.1pux", archive(data(item("T", base32(A), tags=["Work", "Ops/Deep"]), vault="Shared")), [uri("u", A, "T")],
    groups=[["Shared", "Work", "Ops/Deep"]])
add("old-items.1pux", archive(data({"item": GITHUB}, {"item": item("Gone", base32(B), trashed=True)})), [ALICE])
add("without.1pux", archive(data(item("No code"), GITHUB, item("Empty", " "), {})), [ALICE])
add("archived.1pux", archive(data({**GITHUB, "state": "archived"})), [ALICE])
add("two-in-one.1pux", archive(data(item("Both", base32(A), more_fields=[{"value": {"totp": base32(B)}}]))), [uri("u", A, "Both"), uri("u", B, "Both")])
add("attachments.1pux", archive(data(GITHUB), extra=[("files/a___x.bin", bytes(5000))], comment=b"a comment"), [ALICE])
add("no-attributes.1pux", archive(data(GITHUB), attributes=None), [ALICE])
add("empty.1pux", archive({"accounts": []}), [])

add("bad-entries.1pux", archive(data(GITHUB, item("Bad", "not base32!"), item("Bad URI", "otpauth://totp/x?digits=6"), GITHUB)),
    [ALICE, ALICE], errors=[[2, "invalid"], [3, "invalid"]])
add("steam.1pux", archive(data(item("Steam", "steam://" + base32(A)))), [uri("u", A, "Steam", steam=True)])
whole = archive(data(GITHUB))
add("truncated.1pux", whole[:-40], fails="unrecognized")
add("version-4.1pux", archive(data(GITHUB), attributes={"version": 4}), fails="version")
add("bomb.1pux", archive(bytes(40 << 20)), fails="too-large")
lying = bytearray(archive(bytes(40 << 20)))
at = lying.rindex(b"PK\1\2", 0, len(lying))
lying[at + 24:at + 28] = struct.pack("<I", 100)
add("lying-bomb.1pux", bytes(lying), fails="damaged")
changed = bytearray(archive(data(GITHUB), method=0))
changed[300] ^= 1
add("changed.1pux", bytes(changed), fails="damaged")
add("not-json.1pux", archive("not JSON"), fails="damaged")
add("not-utf8.1pux", archive(b"\xff\xfe"), fails="damaged")
add("no-accounts.1pux", archive({"accounts": "x"}), fails="damaged")
add("no-data.1pux", archive(None), fails="unrecognized")
add("deep.1pux", archive('{"accounts":' + "[" * 5000 + "]" * 5000 + "}"), fails="damaged")
add("many.1pux", archive(data(*[{}] * 20_001)), fails="too-large")
flagged = bytearray(whole)
for signature, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
    flagged[flagged.rindex(signature) + at] |= 1
add("encrypted.1pux", bytes(flagged), fails="unsupported")
add("bzip2.1pux", archive(data(GITHUB), method=12), fails="unsupported")
folder.write()
