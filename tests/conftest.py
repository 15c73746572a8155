"""What this machine can run. In CI (CI=true) only a GPU may be missing."""

import os
import shutil

import pytest

NEEDS = {
    "redis": ("redis-server", "apt-get install redis-server"),
    "browser": ("chromium", "apt-get install chromium"),
    "promtool": ("promtool", "apt-get install prometheus"),
}


def pytest_collection_modifyitems(items):
    for item in items:
        for marker, (program, remedy) in NEEDS.items():
            if item.get_closest_marker(marker) and shutil.which(program) is None and not os.environ.get("CI"):
                item.add_marker(pytest.mark.skip(reason=f"needs {program} ({remedy})"))
        if item.get_closest_marker("gpu") and not _has_gpu():
            item.add_marker(pytest.mark.skip(reason="needs a CUDA device"))


def _has_gpu():
    import torch

    return torch.cuda.is_available()
