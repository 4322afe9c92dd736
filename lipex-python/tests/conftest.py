"""What tests share. `LIPEX` names the command; without it a build beside is taken; without either tests are skipped."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE))


@pytest.fixture(scope="session")
def command():
    """Runs the command; gives the explanation that it writes, without times."""
    own = os.environ.get("LIPEX")
    built = [path for path in (ROOT / "target/debug/lipex", ROOT / "target/release/lipex") if path.is_file()]
    if not own and not built:
        pytest.skip("no command lipex: build it (cargo build -p lipex-cli), or name it in LIPEX")

    def run(*arguments):
        line = [own or str(built[0]), *arguments, "--json", "-"]
        done = subprocess.run(line, capture_output=True, text=True, cwd=ROOT)
        assert done.returncode == 0, done.stderr
        return without_times(done.stdout)

    return run


def without_times(text):
    """A JSON explanation without the one key that differs between equal runs."""
    document = json.loads(text)
    assert document.pop("timings_ms")
    return document
