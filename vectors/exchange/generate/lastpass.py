"""LastPass Authenticator: after the models of Bitwarden Authenticator, which imports it."""

from common import FIRST, PLAIN, SECOND, THIRD, Folder, changed, dump, nested


def account(a, **more):
    fields = {
        "accountID": "62f89159-925e-4cde-b90f-e4a8126f7eca", "lmiUserId": "", "issuerName": a["issuer"],
        "originalIssuerName": a["issuer"], "userName": a["name"], "originalUserName": a["name"], "pushNotification": False,
        "secret": a["secret"], "timeStep": a["period"], "digits": a["digits"], "creationTimestamp": 1618417205843,
        "isFavorite": False, "algorithm": a["algorithm"], "folderData": {"folderId": 0, "position": 0},
    }
    return {**fields, **more}


def export(accounts, version=3, **more):
    whole = {
        "deviceId": "d", "deviceSecret": "", "localDeviceId": "l", "deviceName": "phone", "version": version,
        "accounts": accounts, "folders": [{"id": 1, "name": "Work", "isOpened": True}],
    }
    return dump({**whole, **more})


folder = Folder("lastpass", "generated after what Bitwarden Authenticator reads of it")
ALL = [FIRST, SECOND, THIRD]
data = export([account(a) for a in ALL])
folder.good("plain.json", data, ALL)
inside = account(FIRST, folderData={"folderId": 1, "position": 0})
folder.good("folders.json", export([inside, account(SECOND)]), [FIRST, SECOND], groups=[["Work"], []])
texts = export([account(FIRST, folderData={"folderId": "w", "position": 0})], folders=[{"id": "w", "name": "Work"}])
folder.good("folder-texts.json", texts, [FIRST], groups=[["Work"]])
renamed = account(FIRST, issuerName="Renamed", userName="me")
unnamed = account(SECOND, issuerName="", userName="")
folder.good("renamed.json", export([renamed, unnamed], 2), [changed(FIRST, issuer="Renamed", name="me"), SECOND])
folder.good("bare.json", dump({"accounts": [{"issuerName": "Example", "userName": "alice@example.com", "secret": FIRST["secret"]}]}), [FIRST])
folder.good("empty.json", export([]), [])

three = [account(FIRST), account(SECOND), account(PLAIN[1])]
folder.one_bad(export, three, [FIRST, SECOND, PLAIN[1]], [
    ("secret", changed(three[1], secret="!"), "invalid"),
    ("no-secret", changed(three[1], secret=None), "missing"),
    ("digits", changed(three[1], digits=1), "invalid"),
    ("digits-type", changed(three[1], digits={}), "invalid"),
    ("step", changed(three[1], timeStep=-1), "invalid"),
    ("algorithm", changed(three[1], algorithm="SHA"), "invalid"),
    ("algorithm-type", changed(three[1], algorithm=0), "invalid"),
    ("name", changed(three[1], userName="x" * 2000), "invalid"),
    ("null", None, "missing"),
])
folder.fails("version-4.json", export([account(FIRST)], 4), "version")
folder.fails("version-text.json", export([account(FIRST)], "x"), "version")
folder.fails("accounts-null.json", export(None), "damaged")
folder.fails("folders-number.json", export([], folders=1), "damaged")
folder.fails("cut-off.json", data[:300], "unrecognized")
folder.fails("nested.json", b'{"localDeviceId":"","accounts":' + nested() + b"}", "unrecognized")
folder.write()
