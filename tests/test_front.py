"""What `import dredge` offers."""

import subprocess
import sys

import dredge


def test_the_package_exports_exactly_these_names():
    assert dredge.__all__ == sorted(dredge.__all__)
    for name in dredge.__all__:
        assert getattr(dredge, name) is not None
    assert set(dir(dredge)) == set(dredge.__all__)


def test_importing_the_package_is_cheap():
    code = "import sys, dredge; print('torch' in sys.modules, 'flask' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
