"""Asks SMT solvers. One z3 process for each worker answers question after question; what it gives up goes to cvc5.

    ask(questions, jobs, seconds, done)    questions: [text]; done(index, answer, solver) is called as answers come
    model(text, names)                     values of names in a model of a satisfiable text
An answer is unsat, sat or unknown.
"""
import os
import queue
import re
import select
import subprocess
import threading
import time


class Z3:
    """A running z3. `(reset)` between questions makes each answer independent of those before."""

    def __init__(self):
        self.process = None

    def start(self):
        self.process = subprocess.Popen(["z3", "-in"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.buffer = b""

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process.stdin.close()
            self.process.stdout.close()
            self.process = None

    def ask(self, text, seconds, after=""):
        """The lines that it prints; None when it hangs."""
        if self.process is None:
            self.start()
        head = "(reset)\n(set-option :timeout %d)\n(set-logic QF_BV)\n" % (1000 * seconds)
        try:
            self.process.stdin.write((head + text + "(check-sat)\n" + after + '(echo "end of answer")\n').encode())
            self.process.stdin.flush()
        except OSError:
            self.stop()
            return None
        lines, until = [], time.monotonic() + seconds + 10
        while True:
            while b"\n" in self.buffer:
                line, self.buffer = self.buffer.split(b"\n", 1)
                line = line.decode().strip()
                if line.strip('"') == "end of answer":
                    return lines
                lines.append(line)
            left = until - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                self.stop()
                return None
            chunk = os.read(self.process.stdout.fileno(), 65536)
            if not chunk:
                self.stop()
                return None
            self.buffer += chunk


def cvc5(text, seconds):
    try:
        run = subprocess.run(["cvc5", "--lang=smt2", "--tlimit=%d" % (1000 * seconds)], stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL, input=("(set-logic QF_BV)\n" + text + "(check-sat)\n").encode(),
                             timeout=seconds + 10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    words = run.stdout.decode().split()
    return words[0] if words and words[0] in ("sat", "unsat") else "unknown"


def answer_of(lines):
    """unsat, sat or unknown; an error of the solver is one of ours."""
    if lines is None:
        return "unknown"
    errors = [line for line in lines if line.startswith("(error") and "timeout" not in line]
    if errors:
        raise RuntimeError("z3: " + errors[0])
    return lines[-1] if lines and lines[-1] in ("sat", "unsat") else "unknown"


def ask(questions, jobs, seconds, done):
    todo, lock, failures = queue.Queue(), threading.Lock(), []
    for k, text in enumerate(questions):
        todo.put((k, text))

    def work():
        z3 = Z3()
        try:
            while not failures:
                try:
                    k, text = todo.get_nowait()
                except queue.Empty:
                    return
                answer, solver = answer_of(z3.ask(text, seconds)), "z3"
                if answer == "unknown":
                    answer, solver = cvc5(text, seconds), "cvc5"
                with lock:
                    done(k, answer, solver)
        except Exception as e:  # pylint: disable=broad-except
            failures.append(e)
        finally:
            z3.stop()

    threads = [threading.Thread(target=work) for _ in range(min(jobs, max(len(questions), 1)))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if failures:
        raise failures[0]


def model(text, names, seconds=60):
    """name -> number, or None when no model was found."""
    if not names:
        return {}
    z3 = Z3()
    lines = z3.ask(text, seconds, "(get-value (%s))\n" % " ".join(names))
    z3.stop()
    if not lines or lines[0] != "sat":
        return None
    found = re.findall(r"\((\|[^|]*\||[^\s()]+)\s+(#[xb][0-9a-fA-F]+)\)", " ".join(lines[1:]))
    return {n: int(v[2:], 16 if v[1] == "x" else 2) for n, v in found}
