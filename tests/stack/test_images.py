"""What is in the images, and what is not."""

import json

import pytest
from compose import ROOT, docker

import dredge


def inspect(image):
    return json.loads(docker("image", "inspect", image))[0]


def run(image, *command):
    return docker("run", "--rm", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--entrypoint", command[0], image,
                  *command[1:])


def test_the_cpu_image_is_small(images):
    assert inspect(images["cpu"])["Size"] < 1.1e9


def test_the_images_share_all_but_torch_and_what_comes_after(images):
    cpu, gpu = (inspect(image)["RootFS"]["Layers"] for image in images.values())
    shared = [a for a, b in zip(cpu, gpu, strict=False) if a == b]
    assert len(shared) >= len(cpu) - 4


@pytest.mark.parametrize("which", ["cpu", "gpu"])
def test_an_image_runs_as_nobody_special_and_says_what_it_is(images, which):
    config = inspect(images[which])["Config"]
    assert config["User"] == "10001:10001"
    assert config["Entrypoint"] == ["tini", "--", "dredge"]
    assert config["Healthcheck"]["Test"] == ["CMD", "python", "-m", "dredge.health"]
    assert config["Labels"]["org.opencontainers.image.licenses"] == "MIT"
    assert run(images[which], "dredge", "--version") == f"dredge {dredge.__version__}"


def test_nothing_is_left_behind(images):
    for program in ("gcc", "cc", "make", "git"):
        assert docker("run", "--rm", "--entrypoint", "sh", images["cpu"], "-c", f"command -v {program} || echo none") == "none"
    left = run(images["cpu"], "sh", "-c", "find /root/.cache /src /var/lib/apt/lists /var/cache/apt -type f 2>/dev/null; "
                                          "find /opt -name tests -type d")
    assert left == ""


def test_every_format_is_there(images):
    findings = json.loads(run(images["cpu"], "dredge", "doctor", "--json"))
    assert {finding["part"]: finding["state"] for finding in findings if finding["part"] in
            ("torch", "WAV and FLAC", "MiniSEED", "WFDB", "EDF", "NIfTI")} == dict.fromkeys(
            ("torch", "WAV and FLAC", "MiniSEED", "WFDB", "EDF", "NIfTI"), "ok")


def test_the_gpu_image_starts_without_a_gpu_and_says_so(images):
    logged = docker("run", "--rm", "-e", "DREDGE_HOST=127.0.0.1", "--entrypoint", "sh", images["gpu"], "-c",
                    "timeout -s TERM 20 dredge mcp 2>&1", check=False)
    assert "no CUDA device" in logged


def test_a_change_of_the_sources_renews_only_the_last_layers(images, tmp_path):
    source = ROOT / "src/dredge/_version.py"
    before = source.read_text()
    try:
        source.write_text(before + "# changed\n")
        docker("build", "--target", "cpu-build", "-t", "dredge-cli:changed", ".")
    finally:
        source.write_text(before)
    old, new = inspect(images["cpu"])["RootFS"]["Layers"], inspect("dredge-cli:changed")["RootFS"]["Layers"]
    assert old[:-1] == new[:-1]
    assert old[-1] != new[-1]
    docker("rmi", "dredge-cli:changed")
