"""One suite, two kinds of store: a folder, and a bucket on a server that speaks S3."""

import os
import uuid

import numpy as np
import pytest

from dredge.signals import Axis, Signal
from dredge.store import Store

S3 = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1"}


@pytest.fixture(scope="session")
def s3_server():
    """The address of an S3 server in this process."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3_environment(s3_server, monkeypatch):
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    for name, value in {**S3, "AWS_ENDPOINT_URL": s3_server}.items():
        monkeypatch.setenv(name, value)
    return s3_server


@pytest.fixture
def bucket(s3_environment):
    """The address of a fresh store in a fresh bucket."""
    import boto3

    name = f"store-{uuid.uuid4().hex}"
    boto3.client("s3", endpoint_url=s3_environment, region_name="us-east-1").create_bucket(Bucket=name)
    return f"s3://{name}/some/folder"


@pytest.fixture(params=["folder", "bucket"])
def place(request, tmp_path):
    """The address of an empty store."""
    return str(tmp_path / "store") if request.param == "folder" else request.getfixturevalue("bucket")


@pytest.fixture
def store(place):
    return Store.open(place)


@pytest.fixture
def make_signal():
    def make(seed=0, size=100, channels=("a", "b"), name="recording", **more):
        samples = np.random.default_rng(seed).standard_normal((len(channels), size))
        axes = (Axis("time", "s", size, 0.002, 1.5),)
        return Signal(samples, axes, tuple(channels), "mV", name=name, **more)

    return make


@pytest.fixture
def put_model():
    """Keeps a small model; what its bytes mean is no business of the store."""

    def put(store, name, version=None, data=b"waves", **more):
        version = store.reserve_version(name, {"by": "test"}) if version is None else version
        about = {
            "kind": "wavefield",
            "dimension": 1,
            "waves": 2,
            "numbers": 13,
            "axes": [{"name": "time", "unit": "s"}],
            "unit": "mV",
        } | more
        return store.put_model(name, version, data, **about)

    return put


class Watched:
    """Files that count what is asked of them and break at a chosen put."""

    def __init__(self, files, break_at=None):
        self.files = files
        self.break_at = break_at
        self.gets = []
        self.puts = []

    def __getattr__(self, name):
        return getattr(self.files, name)

    def get(self, key):
        self.gets.append(key)
        return self.files.get(key)

    def put(self, key, data, *, create=False):
        if self.break_at == len(self.puts):
            raise Killed
        self.puts.append(key)
        self.files.put(key, data, create=create)


class Killed(BaseException):
    """The process ends here: nothing may catch it to tidy up."""


@pytest.fixture
def watch():
    """`watch(store)` gives the same store, watched; `watch(store, break_at=1)` breaks at the second put."""
    return lambda store, break_at=None: Store(Watched(store.files, break_at))


@pytest.fixture
def killed():
    return Killed
