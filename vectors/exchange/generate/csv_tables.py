"""The CSV exports of 1Password, Apple's Passwords and KeePassXC, by Python's csv as RFC 4180 has it. No packages."""

import csv
import io

from fixtures import Folder, base32, secret, uri

A, B = secret("a"), secret("b")
BOTH = f"otpauth://totp/GitHub:alice?secret={base32(A)}&issuer=GitHub"
ALICE = uri("alice", A, "GitHub")


def generate(name, header, otp, source, group=None, group_of=None):
    """`group` is the column of groups; `group_of` what to write for a path of them."""

    def table(*rows, header=header, quoting=csv.QUOTE_MINIMAL, end="\n"):
        out = io.StringIO()
        writer = csv.writer(out, quoting=quoting, lineterminator=end)
        writer.writerow(header)
        for row in rows:
            writer.writerow([row.get(column.lower(), "") for column in header])
        return out.getvalue()

    def login(title, otp_text="", user="u", path=(), **more):
        row = {"title": title, "url": "https://example.com", "username": user, "password": "p,w\"d", otp.lower(): otp_text, **more}
        if group:
            row[group.lower()] = group_of(path)
        return row

    github = login("GitHub", BOTH, "alice")
    folder = Folder(name, source, kept=("keepassxc.csv",))
    add = folder.add
    add("simple.csv", table(github), [ALICE])
    add("quoted.csv", table(github, login("Line\nbreak, \"quoted\"", base32(B), notes="a\nb"), quoting=csv.QUOTE_ALL, end="\r\n"),
        [ALICE], errors=[[2, "invalid"]])
    add("without.csv", table(login("None"), github, login("None too")), [ALICE])
    add("bare-secret.csv", table(login("Bare", base32(B), "bob"), login("Lower", base32(B).lower(), "")), [uri("bob", B, "Bare"), uri("", B, "Lower")])
    add("parameters.csv", table(
        login("P", f"otpauth://totp/P:u?secret={base32(B)}&algorithm=SHA512&digits=8&period=60"),
        login("H", f"otpauth://hotp/H:u?secret={base32(B)}&counter=5"),
        login("N", f"otpauth://totp/?secret={base32(B)}", "name")),
        [uri("u", B, "P", "SHA512", 8, 60), uri("u", B, "H", counter=5), uri("name", B, "N")])
    add("notes.csv", table({**github, "notes": "line 1\nline, \"2\"\r\n"}), [ALICE])
    add("unicode.csv", "\ufeff" + table(login("Bücher", base32(A), "käthe@example.com")), [uri("käthe@example.com", A, "Bücher")])
    add("crlf.csv", table(github, login("Two", base32(B)), end="\r\n"), [ALICE, uri("u", B, "Two")])
    add("empty.csv", table(), [])
    add("other-order.csv", table(github, header=header[::-1]), [ALICE])
    add("short-record.csv", table(github) + "x\n,,,,,,,,,,,,,,,,\n", [ALICE])
    if group:
        add("groups.csv", table(login("A", base32(A), path=("Work", "Ops")), login("B", base32(B))), [uri("u", A, "A"), uri("u", B, "B")],
            groups=[["Work", "Ops"], []])
    if name == "keepassxc-csv":
        add("keepassxc.csv", None, [uri("u", B, "XC", "SHA256", 8, 60), uri("", B, "XC bare"), uri("u", B, 'KeeOtp, "q"', digits=8, period=60)],
            groups=[[], [], ["Work", "Ops"]], source="KeePassXC 2.7.4: `keepassxc-cli export -f csv`")
    add("bad-entries.csv", table(github, login("Bad", "not base32!"), login("Bad URI", "otpauth://totp/x?digits=6"),
                                 login("Bad digits", f"otpauth://totp/x?secret={base32(A)}&digits=99"), github), [ALICE, ALICE],
        errors=[[2, "invalid"], [3, "invalid"], [4, "invalid"]])
    add("steam.csv", table(login("Steam", "steam://" + base32(A)), login("Steam", f"otpauth://totp/Steam:u?secret={base32(A)}&issuer=Steam")),
        [uri("u", A, "Steam", steam=True)] * 2)
    add("control-character.csv", table(login("A\x07B", base32(A)), github), [ALICE], errors=[[1, "invalid"]])
    add("long-name.csv", table(login("x" * 5000, base32(A)), github), [ALICE], errors=[[1, "invalid"]])
    add("long-secret.csv", table(login("Long", "A" * 4000), github), [ALICE], errors=[[1, "invalid"]])
    whole = table(github, quoting=csv.QUOTE_ALL)
    add("truncated.csv", whole[:-20], fails="damaged")
    add("truncated-header.csv", whole[:30], fails="unrecognized")
    add("quote-inside.csv", table(github) + 'a,"b"c,d\n', fails="damaged")
    add("many-columns.csv", table(github) + "," * 300 + "\n", fails="damaged")
    add("many.csv", table(github) + "x\n" * 20_001, fails="too-large")
    add("utf-16.csv", table(github).encode("utf-16"), fails="unrecognized")
    add("latin-1.csv", table(login("Bücher", base32(A))).encode("latin-1"), fails="unrecognized")
    add("no-header.csv", table(github).split("\n", 1)[1], fails="unrecognized")
    add("no-column.csv", table(github, header=[c for c in header if c != otp]), fails="unrecognized")
    add("semicolons.csv", table(github).replace(",", ";"), fails="unrecognized")
    folder.write()


generate("1password-csv", "Title,Url,Username,Password,OTPAuth,Favorite,Archived,Tags,Notes".split(","), "OTPAuth",
         "generate/csv_tables.py, with the columns that 1Password 8 writes", "Tags", ";".join)
generate("apple-csv", "Title,URL,Username,Password,Notes,OTPAuth".split(","), "OTPAuth",
         "generate/csv_tables.py, with the columns that support.apple.com/guide/passwords documents")
generate("keepassxc-csv", "Group,Title,Username,Password,URL,Notes,TOTP,Icon,Last Modified,Created".split(","), "TOTP",
         "generate/csv_tables.py, with the columns that KeePassXC 2.7 writes", "Group", lambda path: "/".join(("Passwords", *path)))
