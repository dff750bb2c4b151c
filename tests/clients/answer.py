"""Runs a program at a terminal of its own and answers its first question: answer.py ANSWER PROGRAM ARGUMENTS…"""

import os
import pty
import select
import sys

answer, *command = sys.argv[1:]
child, terminal = pty.fork()
if child == 0:
    os.execv(command[0], command)
said, answered = b"", False
while select.select([terminal], [], [], 60)[0]:
    try:
        piece = os.read(terminal, 4096)
    except OSError:  # The program has ended.
        break
    if not piece:
        break
    said += piece
    if b"[y/N] " in said and not answered:
        os.write(terminal, answer.encode() + b"\n")
        answered = True
sys.stdout.write(said.decode().replace("\r\n", "\n"))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
