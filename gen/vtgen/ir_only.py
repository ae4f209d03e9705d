"""python3 gen/vtgen/ir_only.py OUT MDC: the IR's generated files alone."""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import emitters  # noqa: E402
import irdesc  # noqa: E402


text = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "md", "ir.md")


class Model:
    ir = irdesc.from_decls(json.loads(subprocess.run([sys.argv[2], text], stdout=subprocess.PIPE, check=True).stdout))


os.makedirs(sys.argv[1], exist_ok=True)
for module in [m for m in emitters.ALL if m.__name__.startswith("emit_ir")]:
    for name, text in module.emit(Model).items():
        with open(os.path.join(sys.argv[1], name), "w", encoding="utf-8") as f:
            f.write(text)
