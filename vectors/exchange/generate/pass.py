"""Entries of pass with pass-otp, and of gopass, as they print them. No packages."""

from fixtures import Folder, base32, secret, uri

A, B = secret("a"), secret("b")
ONE = f"otpauth://totp/GitHub:alice?secret={base32(A)}&issuer=GitHub"
ALICE = uri("alice", A, "GitHub")

folder = Folder("pass", "generate/pass.py, from the manuals of pass-otp and gopass")
add = folder.add
add("simple.txt", f"hunter2\n{ONE}\n", [ALICE])
add("with-more.txt", f"hunter2\nlogin: alice\nurl: https://github.com\n{ONE}\nnotes: a,b\n", [ALICE])
add("gopass.txt", f"hunter2\n---\nuser: alice\ntotp: {ONE}\nurl: https://github.com\n", [ALICE])
add("gopass-secret.txt", f"hunter2\nusername: bob\n{ONE}\ntotp: {base32(B)}\n", [ALICE, uri("bob", B)])
add("user-from-line.txt", f"hunter2\nusername: carol\notpauth://totp/?secret={base32(B)}&issuer=X\n", [uri("carol", B, "X")])
add("two.txt", f"hunter2\n{ONE}\n  otpauth://hotp/H:u?secret={base32(B)}&counter=9&digits=8\n", [ALICE, uri("u", B, "H", digits=8, counter=9)])
add("crlf.txt", f"hunter2\r\n{ONE}\r\n", [ALICE])
add("empty-password.txt", f"\n{ONE}\n", [ALICE])
add("unicode.txt", f"pässwörd: 1,2,3\n{ONE}", [ALICE])
add("upper-case.txt", f"hunter2\nOTPAUTH://TOTP/GitHub:alice?secret={base32(A)}&issuer=GitHub\n", [ALICE])

add("bad-entry.txt", f"hunter2\n{ONE}\notpauth://totp/x?digits=6\n{ONE}\n", [ALICE, ALICE], errors=[[2, "invalid"]])
add("bad-base32.txt", f"hunter2\notpauth://totp/x?secret=0189\n", [], errors=[[1, "invalid"]])
add("bad-digits.txt", f"hunter2\notpauth://totp/x?secret={base32(A)}&digits=99\n", [], errors=[[1, "invalid"]])
add("bad-algorithm.txt", f"hunter2\notpauth://totp/x?secret={base32(A)}&algorithm=MD5\n", [], errors=[[1, "invalid"]])
add("bad-counter.txt", f"hunter2\notpauth://hotp/x?secret={base32(A)}\n", [], errors=[[1, "invalid"]])
add("bad-type.txt", f"hunter2\notpauth://quantum/x?secret={base32(A)}\n", [], errors=[[1, "invalid"]])
add("bad-gopass-secret.txt", f"hunter2\n{ONE}\ntotp: not base32!\n", [ALICE], errors=[[2, "invalid"]])
add("truncated.txt", f"hunter2\n{ONE[:28]}\n", [], errors=[[1, "invalid"]])
add("long.txt", f"hunter2\notpauth://totp/x?secret={'A' * 20_000}\n", [], errors=[[1, "invalid"]])
add("steam.txt", f"hunter2\notpauth://steam/Steam:u?secret={base32(A)}\n", [f"otpauth://steam/Steam:u?secret={base32(A)}&issuer=Steam"])
add("no-uri.txt", "hunter2\nurl: https://github.com\n", fails="unrecognized")
add("inside-a-line.txt", f"hunter2\nsee <{ONE}>\n", fails="unrecognized")
add("many.txt", "hunter2\notpauth://\n" + "otp: A\n" * 1 + "otpauth://x\n" * 20_001, fails="too-large")
add("latin-1.txt", f"p\xe4ss\n{ONE}\n".encode("latin-1"), fails="unrecognized")
folder.write()
