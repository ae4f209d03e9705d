"""Runs inside gdb: single-steps through the functions of unwind.clif, and at every instruction compares what the
unwinder says of each frame with what was seen when its function was entered: the return address, the caller's stack
pointer, the registers that the caller keeps.

    gdb -batch -nx -x unwind_gdb.py --args PROGRAM trap

With UNWIND_PORT set, the program runs in an emulator that waits there for a debugger.
"""
import os

import gdb

FUNCTIONS = ["plain", "leaf_slot", "saves", "branches", "big", "very_big", "floats", "many", "calls_many", "tail_small",
             "tail_large", "tail_middle", "tails", "fact", "traps"]
TAIL = {"tail_small", "tail_large", "tail_middle"}  # functions of the convention that preserves nothing
# Of each machine: stack pointer, link register or None, bytes below sp that stay, registers that callees preserve.
MACHINES = {
    "i386:x86-64": ("rsp", None, 128, ["rbx", "rbp", "r12", "r13", "r14", "r15"]),
    "aarch64": ("sp", "x30", 0, ["x%d" % n for n in range(19, 30)] + ["d%d" % n for n in range(8, 16)]),
    "riscv:rv64": ("sp", "ra", 0, ["s%d" % n for n in range(12)] + ["fs%d" % n for n in range(12)]),
}
SHOWN = 20  # failures
WORD = 8
GARBAGE = b"\xa5" * 256


def bits(value):
    """A register's lowest 64 bits."""
    if value.type.code == gdb.TYPE_CODE_UNION:  # a register of several views
        names = [f.name for f in value.type.fields()]
        value = value["u" if "u" in names else "double" if "double" in names else names[0]]
    if value.type.code == gdb.TYPE_CODE_FLT:
        return float(value).hex()
    return int(value) & (1 << 64) - 1


class Activation:
    """A function that is being run, and what its caller will find."""

    def __init__(self, name, ret, sp, kept):
        self.name, self.ret, self.kept = name, ret, kept
        # The caller's sp, or None where the callee removes arguments: then what the unwinder told, to be compared with
        # what it turns out to be.
        self.sp, self.told = sp, set()


class Walk:
    def __init__(self):
        self.sp, self.link, self.red_zone, self.preserved = MACHINES[gdb.selected_inferior().architecture().name()]
        self.starts = {int(gdb.parse_and_eval("(unsigned long)&%s" % name)): name for name in FUNCTIONS}
        self.stack, self.instructions, self.wrong, self.entered = [], 0, 0, set()
        self.signal = None
        gdb.events.stop.connect(self.stopped)

    def stopped(self, event):
        self.signal = event.stop_signal if isinstance(event, gdb.SignalEvent) else None

    def reg(self, name, frame=None):
        return bits((frame or gdb.newest_frame()).read_register(name))

    def return_address(self):
        """At a function's first instruction."""
        if self.link:
            return self.reg(self.link)
        return int.from_bytes(bytes(gdb.selected_inferior().read_memory(self.reg(self.sp), WORD)), "little")

    def fail(self, what):
        self.wrong += 1
        if self.wrong <= SHOWN:
            print("WRONG: at %#x in %s: %s" % (gdb.newest_frame().pc(), gdb.newest_frame().name(), what))

    def enter(self, pc, before):
        """At a function's first instruction, come from the instruction at `before` (None = from outside)."""
        name, ret = self.starts[pc], self.return_address()
        self.entered.add(name)
        kept = [] if name in TAIL else [(r, self.reg(r)) for r in self.preserved]
        sp = None if name in TAIL else self.reg(self.sp) + (0 if self.link else WORD)
        if before is not None and before + gdb.newest_frame().architecture().disassemble(before)[0]["length"] != ret:
            self.stack.pop()  # a tail call
        self.stack.append(Activation(name, ret, sp, kept))

    def check(self):
        """Every frame from the innermost outwards."""
        self.instructions += 1
        # What lies below the stack is nobody's: no register may be said to be saved there.
        low = self.reg(self.sp) - self.red_zone - len(GARBAGE)
        gdb.selected_inferior().write_memory(low, GARBAGE)
        frame = gdb.newest_frame()
        for activation in reversed(self.stack):
            if frame.name() != activation.name:
                return self.fail("this is not %s" % activation.name)
            older = frame.older()
            if older is None:
                return self.fail("%s has no caller: %s" % (
                    activation.name, gdb.frame_stop_reason_string(frame.unwind_stop_reason())))
            if older.pc() != activation.ret:
                return self.fail("the caller of %s is at %#x, not %#x" % (activation.name, older.pc(), activation.ret))
            sp = self.reg(self.sp, older)
            if activation.sp is None:
                activation.told.add(sp)
            elif sp != activation.sp:
                return self.fail("the caller's sp of %s is %#x, not %#x" % (activation.name, sp, activation.sp))
            for name, value in activation.kept:
                got = self.reg(name, older)
                if got != value:
                    return self.fail("the caller's %s of %s is %s, not %s" % (name, activation.name, got, value))
            frame = older
        if frame.name() != "main":
            self.fail("the outermost frame is %s" % frame.name())

    def leave(self, pc):
        """Takes away what has returned."""
        sp = self.reg(self.sp)
        while self.stack and pc == self.stack[-1].ret and (self.stack[-1].sp is None or sp == self.stack[-1].sp):
            done = self.stack.pop()
            if done.sp is None and done.told != {sp}:
                self.fail("the caller's sp of %s was said to be %s, it is %#x" % (
                    done.name, ", ".join(sorted(map(hex, done.told))), sp))

    def step_call(self):
        """From the first instruction of a function that main() calls until it has returned; False when it trapped."""
        before = None
        while True:
            pc = gdb.newest_frame().pc()
            self.leave(pc)
            if not self.stack and before is not None:
                return True
            if pc in self.starts:
                self.enter(pc, before)
            elif gdb.newest_frame().name() not in FUNCTIONS:  # C's: run it
                gdb.Breakpoint("*%#x" % self.return_address(), internal=True, temporary=True)
                gdb.execute("continue", to_string=True)
                continue
            self.check()
            before = pc
            gdb.execute("stepi", to_string=True)
            if self.signal not in (None, "SIGTRAP") or self.signal and gdb.newest_frame().pc() == before:
                self.check()
                return False


def start():
    for setting in ("pagination off", "confirm off", "disable-randomization on", "width 0"):
        gdb.execute("set " + setting)
    port = os.environ.get("UNWIND_PORT")
    if port:
        gdb.execute("target remote 127.0.0.1:%s" % port, to_string=True)
    gdb.execute("break main", to_string=True)
    gdb.execute("continue" if port else "run", to_string=True)


def main():
    start()
    walk = Walk()
    entries = [gdb.Breakpoint("*%#x" % at, internal=True) for at in walk.starts]
    calls, returned = 0, True
    while returned:
        gdb.execute("continue", to_string=True)
        if gdb.newest_frame().pc() not in walk.starts:
            return walk.fail("the program stopped here") or walk.wrong
        for point in entries:
            point.enabled = False
        calls += 1
        returned = walk.step_call()
        for point in entries:
            point.enabled = True
    missing = set(FUNCTIONS) - walk.entered
    if missing or walk.stack[-1].name != "traps":
        walk.fail("never entered: %s" % ", ".join(sorted(missing)))
    print("%d calls, %d instructions, %d wrong" % (calls, walk.instructions, walk.wrong))
    return walk.wrong


code = 1
try:
    code = 1 if main() else 0
except (gdb.error, KeyError) as error:
    print("WRONG: %r" % error)
gdb.execute("kill")
gdb.execute("quit %d" % code)
