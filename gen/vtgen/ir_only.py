"""python3 gen/vtgen/ir_only.py OUT: the IR's generated files alone, while there is no mdc."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import emitters  # noqa: E402
import irdesc  # noqa: E402


class Model:
    ir = irdesc.read(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "md", "ir.md"))


os.makedirs(sys.argv[1], exist_ok=True)
for module in (emitters.emit_ir, emitters.emit_ir_build):
    for name, text in module.emit(Model).items():
        with open(os.path.join(sys.argv[1], name), "w", encoding="utf-8") as f:
            f.write(text)
