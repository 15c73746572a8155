"""Images are built once; each test starts from nothing and leaves nothing."""

import pytest
from compose import GPU_TORCH, PROFILES, ROOT, Stack, docker, engine_missing

IMAGE = "ghcr.io/queenfi703/dredge-cli:latest"


def pytest_collection_modifyitems(items):
    import os

    for item in items:
        if ROOT / "tests/stack" in item.path.parents:
            item.add_marker(pytest.mark.stack)
            item.add_marker(pytest.mark.slow)
            if not os.environ.get("CI") and (reason := engine_missing()):
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def images():
    """The images cpu and gpu, as compose names them."""
    docker("build", "--target", "cpu-build", "-t", f"{IMAGE}-cpu", ".")
    docker("build", "--target", "gpu-build", "--build-arg", f"TORCH_GPU_REQUIREMENT={GPU_TORCH}", "-t", f"{IMAGE}-gpu", ".")
    return {"cpu": f"{IMAGE}-cpu", "gpu": f"{IMAGE}-gpu"}


@pytest.fixture
def stack(images):
    """Make stacks; whatever was started is forgotten at the end."""
    made = [Stack(*PROFILES)]
    made[0].down("-v")

    def make(*profiles, **settings):
        made.append(Stack(*profiles, **settings))
        return made[-1]

    yield make
    made[-1].down("-v")
