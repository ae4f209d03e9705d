"""Runs programs in gdb, natively or in qemu, which then waits for gdb."""
import os
import subprocess
import time


def run(command, **more):
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, **more)


def debug(options, commands, program, arguments=()):
    """gdb's output. With UNWIND_PORT in its environment, the program runs in an emulator that waits there."""
    script = [*options.gdb.split(), "-batch", "-nx", *commands, "--args", program, *arguments]
    if not options.runner:
        return run(script)
    port = 20000 + os.getpid() % 20000
    emulator = subprocess.Popen([*options.runner.split(), "-g", str(port), program, *arguments], stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT)
    try:
        time.sleep(0.2)
        return run(script, env={**os.environ, "UNWIND_PORT": str(port)})
    finally:
        emulator.kill()
        emulator.communicate()
