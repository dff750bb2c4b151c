"""Runs a program at a terminal of its own and answers its questions: answer.py ANSWER,ANSWER… PROGRAM ARGUMENTS…"""

import os
import pty
import select
import sys

answers, *command = sys.argv[1:]
answers = answers.split(",")
child, terminal = pty.fork()
if child == 0:
    os.execv(command[0], command)
said, answered = b"", 0
while select.select([terminal], [], [], 60)[0]:
    try:
        piece = os.read(terminal, 4096)
    except OSError:  # The program has ended.
        break
    if not piece:
        break
    said += piece
    if answered < min(said.count(b"[y/N] "), len(answers)):
        os.write(terminal, answers[answered].encode() + b"\n")
        answered += 1
sys.stdout.write(said.decode().replace("\r\n", "\n"))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
