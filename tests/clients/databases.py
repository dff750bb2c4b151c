"""Reads and writes KeePass databases by PyKeePass.

list FILE PASSWORD          prints the entries as JSON
make FILE PASSWORD [KEY]    writes a database with an entry for each otpauth URI of stdin
code UNIX                   prints the code of an otpauth URI of stdin, by PyOTP
"""

import json
import sys

import pykeepass
import pyotp

what, *rest = sys.argv[1:]
if what == "list":
    database = pykeepass.PyKeePass(rest[0], password=rest[1])
    entries = [
        {"title": entry.title, "user": entry.username, "otp": entry.otp, "group": "/".join(entry.group.path)}
        for entry in database.entries
    ]
    print(json.dumps(sorted(entries, key=lambda entry: (entry["group"], entry["title"]))))
elif what == "make":
    database = pykeepass.create_database(rest[0], password=rest[1], keyfile=rest[2] if len(rest) > 2 else None)
    for uri in sys.stdin.read().split():
        title = uri.split("?")[0].rsplit("/", 1)[1]
        database.add_entry(database.root_group, title, "", "", otp=uri)
    database.save()
elif what == "code":
    print(pyotp.parse_uri(sys.stdin.read().strip()).at(int(rest[0])))
else:
    sys.exit(__doc__)
