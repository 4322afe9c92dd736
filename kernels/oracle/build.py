"""Compiles the kernels' sources for the CPU into a libcuda.so of their own.

    python3 kernels/oracle/build.py target/oracle        # g++, or what CXX says
    LIPEX_CUDA=device LD_LIBRARY_PATH=$PWD/target/oracle cargo test -p lipex-conformance --test all -- cuda:: render::

What a C++ compiler cannot read is rewritten: the marked places of divergences, shared memory that the launch sizes, and the
compiler's own word for the place of a field.
"""

import os
import pathlib
import re
import subprocess
import sys

ORACLE = pathlib.Path(__file__).resolve().parent
KERNELS = ORACLE.parent
# Contractions and reordering would be other arithmetic than the kernels'.
OPTIONS = ["-std=c++17", "-O2", "-mfma", "-ffp-contract=off", "-fno-strict-aliasing", "-fno-math-errno", "-fPIC",
           "-fvisibility=hidden", "-Wall", "-Wno-unknown-pragmas", "-Wno-unused-function"]
OPERANDS = r'((?:"=?[fd]"\(\w+\)(?:,\s*)?)+)'
PLACE = re.compile(rf'asm\("// (LIPEX_\w+)((?: \w+=%\d+)+)"\s*:\s*{OPERANDS}\s*:\s*{OPERANDS}\);')
DYNAMIC = re.compile(r"extern __shared__ (\w+) (\w+)\[\];")
FIELD = re.compile(r"__INTADDR__\(&\(\((\w+)\*\)0\)->(\w+)\)")
KERNEL = re.compile(r"KERNEL\(\d+\) (\w+)\(([^)]*)\)")


def key(kind, names):
    """What tells places apart: whose program, and which of its outputs."""
    return " ".join([kind, *(n for n in names if n in ("value", "slope", "second"))])


def rewritten(source, places):
    def place(match):
        kind, names, outputs, inputs = match.groups()
        number = places.setdefault(key(kind, re.findall(r"(\w+)=", names)), len(places))
        outputs, inputs = (re.findall(r"\((\w+)\)", text) for text in (outputs, inputs))
        kind_of_number = "float" if '"=f"' in match[3] else "double"
        taken = " ".join(f"{name} = out_[{i}];" for i, name in enumerate(outputs))
        return (f"{{ const {kind_of_number} in_[] = {{{', '.join(inputs)}}}; {kind_of_number} out_[{len(outputs)}]; "
                f"oracle::program({number}u, in_, out_); {taken} }}")

    source = PLACE.sub(place, source)
    source = DYNAMIC.sub(r"\1* \2 = (\1*)oracle::dynamic;", source)
    return FIELD.sub(r"__builtin_offsetof(\1, \2)", source)


def launcher(name, parameters):
    """A function that hands a kernel its arguments, as the driver is given them."""
    types = [re.sub(r"\s*__restrict__\s*|\w+$", " ", p.strip()).strip() for p in parameters.split(",")]
    taken = ", ".join(f"*({type_}*)arguments[{i}]" for i, type_ in enumerate(types))
    return f"static void launch_{name}(void** arguments) {{ {name}({taken}); }}\n"


def marked(ptx, places):
    """Inline assembly's number, the place's number and the marked line, of each place in a PTX file."""
    assemblies = ptx.split("// begin inline asm\n")[1:]
    for number, text in enumerate(assemblies):
        line = text.splitlines()[0].strip()
        if found := re.match(r"// (LIPEX_\w+)(.*)", line):
            yield number, places[key(found[1], re.findall(r"(\w+)=", found[2]))], line


def translated(source, places):
    """A file of kernels as C++, all but its interface in a namespace that no other file sees."""
    text = rewritten(source.read_text(), places)
    headers = [(KERNELS / name).read_text() for name in re.findall(r'#include "(\w+\.cuh)"', text)]
    kernels = [kernel for part in [text, *headers] for kernel in KERNEL.findall(part)]
    # Linkage as in C would be the only one for all files; the driver finds kernels in the table.
    parts = ['#include "device.h"\nnamespace {\n', text, *(launcher(*kernel) for kernel in kernels), "\n}\n"]
    entries = "".join(f'    {{"{name}", launch_{name}}},\n' for name, _ in kernels)
    ptx = (KERNELS / "ptx" / f"{source.stem}.ptx").read_text()
    lines = "".join(f'    {{{number}, {place}, "{line}"}},\n' for number, place, line in marked(ptx, places))
    parts.append(f"static const oracle::Entry kernels_of_{source.stem}[] = {{\n{entries}    {{nullptr, nullptr}}\n}};\n")
    parts.append(f"static const oracle::Marked marked_of_{source.stem}[] = {{\n{lines}    {{0, 0, nullptr}}\n}};\n")
    parts.append(f"extern const oracle::File file_of_{source.stem};\nconst oracle::File file_of_{source.stem} = "
                 f'{{"{source.stem}", kernels_of_{source.stem}, marked_of_{source.stem}}};\n')
    return "".join(parts)


def main():
    target = pathlib.Path(sys.argv[1]).resolve()
    target.mkdir(parents=True, exist_ok=True)
    places, sources = {}, sorted(KERNELS.glob("*.cu"))
    for header in KERNELS.glob("*.cuh"):
        (target / header.name).write_text(rewritten(header.read_text(), places))
    for source in sources:
        (target / f"{source.stem}.cpp").write_text(translated(source, places))
    names = [source.stem for source in sources]
    table = "".join(f"extern const oracle::File file_of_{name};\n" for name in names)
    listed = ", ".join(f"&file_of_{name}" for name in names)
    (target / "files.cpp").write_text(
        f'#include "device.h"\n{table}const oracle::File* const oracle::files[] = {{{listed}, nullptr}};\n')
    compiler = os.environ.get("CXX", "g++")
    inputs = [target / f"{name}.cpp" for name in [*names, "files"]] + [ORACLE / f"{n}.cpp" for n in ("machine", "programs", "driver")]
    command = [compiler, *OPTIONS, f"-I{ORACLE}", f"-I{target}", "-shared", "-Wl,-soname,libcuda.so", *map(str, inputs),
               "-o", str(target / "libcuda.so")]
    sys.exit(subprocess.run(command).returncode)


if __name__ == "__main__":
    main()
