"""Credential Exchange Format 1.0 (FIDO Alliance, Proposed Standard of 2025-08-14). No packages."""

import base64
import json

from fixtures import Folder, base32, fixed, secret, uri


def identifier(name):
    return base64.urlsafe_b64encode(fixed(name, 16)).decode().rstrip("=")


def totp(key, **more):
    return {"type": "totp", "secret": base32(key), "period": 30, "digits": 6, "algorithm": "sha1", **more}


def login(user, password="pw"):
    value = lambda kind, text: {"fieldType": kind, "value": text}
    return {"type": "basic-auth", "username": value("string", user), "password": value("concealed-string", password)}


def item(title, *credentials, **more):
    return {"id": identifier(title), "creationAt": 1706613834, "modifiedAt": 1706623773, "title": title,
            "credentials": list(credentials), **more}


def document(*items, collections=(), version=None, **more):
    account = {"id": identifier("account"), "username": "jane", "email": "jane@example.com",
               "collections": list(collections), "items": list(items)}
    return json.dumps({"version": version or {"major": 1, "minor": 0}, "exporterRpId": "exporter.example.com",
                       "exporterDisplayName": "Exporter", "timestamp": 1706613834, "accounts": [account], **more})


A, B = secret("a"), secret("b", 32)
GITHUB = item("GitHub", login("alice"), totp(A, issuer="GitHub", username="alice"))
ALICE = uri("alice", A, "GitHub")

folder = Folder("cxf", "generate/cxf.py, from the Credential Exchange Format 1.0")
add = folder.add
add("simple.json", document(GITHUB), [ALICE])
add("parameters.json", document(
    item("One", totp(A, issuer="One", username="u", digits=8, period=60, algorithm="sha256")),
    item("Two", totp(B, issuer="Two", username="u", algorithm="sha512"))),
    [uri("u", A, "One", "SHA256", 8, 60), uri("u", B, "Two", "SHA512")])
add("names.json", document(item("Title", login("bob"), totp(A)), item("Alone", totp(B)), item("Ünïcode", totp(A, username="ü@x"))),
    [uri("bob", A, "Title"), uri("", B, "Alone"), uri("ü@x", A, "Ünïcode")])
linked = lambda *titles: [{"item": identifier(title)} for title in titles]
add("collections.json", document(
    GITHUB, item("Deep", totp(B, username="u")), item("Nowhere", totp(B, username="u")),
    collections=[{"id": identifier("c"), "title": "Work", "items": linked("GitHub"),
                  "subCollections": [{"id": identifier("d"), "title": "Ops", "items": linked("Deep", "Unsent")}]}]),
    [ALICE, uri("u", B, "Deep"), uri("u", B, "Nowhere")], groups=[["Work"], ["Work", "Ops"], []])
add("without.json", document(item("Login", login("x")), item("Note", {"type": "note", "content": {"value": "n"}}), GITHUB), [ALICE])
add("two-in-one.json", document(item("Both", totp(A, username="a"), totp(B, username="b"))), [uri("a", A, "Both"), uri("b", B, "Both")])
two = json.loads(document(GITHUB))
two["accounts"].append(json.loads(document(item("Other", totp(B, username="u"))))["accounts"][0])
add("two-accounts.json", json.dumps(two, indent=1), [ALICE, uri("u", B, "Other")])
add("minor-1.json", document(GITHUB, version={"major": 1, "minor": 7}, unknown={"a": 1}), [ALICE])
add("empty.json", document(), [])
add("bom.json", "\ufeff" + document(GITHUB), [ALICE])

add("bad-entries.json", document(
    GITHUB, item("No secret", {"type": "totp", "period": 30, "digits": 6, "algorithm": "sha1"}),
    item("Bad base32", totp(A, secret="not base32!")), item("Bad digits", totp(A, digits=99)),
    item("Bad period", totp(A, period=0)), item("Unknown algorithm", totp(A, algorithm="md5")),
    item("Wrong types", totp(A, secret=12)), item("Period as a list", totp(A, period=[60])), item("Algorithm as a number", totp(A, algorithm=1)), GITHUB), [ALICE, ALICE],
    errors=[[2, "missing"], [3, "invalid"], [4, "invalid"], [5, "invalid"], [6, "invalid"], [7, "invalid"], [8, "invalid"], [9, "invalid"]])
add("steam.json", document(item("Steam", totp(A, algorithm="steam", digits=5, username="u"))), [uri("u", A, "Steam", steam=True)])
add("truncated.json", document(GITHUB)[:-30], fails="unrecognized")
add("version-2.json", document(GITHUB, version={"major": 2, "minor": 0}), fails="version")
add("version-0.json", document(GITHUB, version={"major": 0, "minor": 1}), fails="version")
add("version-text.json", document(GITHUB, version={"major": "one", "minor": 0}), fails="version")
add("accounts-object.json", document(GITHUB, accounts={}), fails="damaged")
add("accounts-missing.json", json.dumps({k: v for k, v in json.loads(document()).items() if k != "accounts"}), fails="damaged")
add("items-missing.json", document(accounts=[{"id": "x"}]), fails="damaged")
add("items-text.json", document(accounts=[{"id": "x", "items": "many"}]), fails="damaged")
add("many.json", document(accounts=[{"items": [0] * 20_001}]), fails="too-large")
add("deep.json", '{"exporterRpId":"x","version":{"major":1},"accounts":' + "[" * 5000 + "]" * 5000 + "}", fails="unrecognized")
nested = {"title": "x"}
for _ in range(40):
    nested = {"title": "x", "subCollections": [nested]}
add("deep-collections.json", document(GITHUB, collections=[nested]), [ALICE])
folder.write()
