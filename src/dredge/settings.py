"""The one table of settings.

The environment, a `.env` file, `dredge config` and docs/settings.md all derive from the class below. A secret may also be
given as a file, through `NAME_FILE`. A value that cannot be used stops the start with the name, the value and the fix.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from dredge.errors import InvalidSetting

LOOPBACK = {"127.0.0.1", "::1", "localhost"}


class Settings(BaseSettings):
    """Every setting: its name in capitals is the environment variable, its description the help."""

    model_config = SettingsConfigDict(env_file=".env", env_file_encoding="utf-8", extra="ignore", frozen=True)

    # Addresses
    dredge_host: str = Field("127.0.0.1", description="Address the servers listen on; anything but loopback needs API keys")
    dredge_port: int = Field(3001, ge=1, le=65535, description="Port of the DREDGE server")
    mcp_port: int = Field(3002, ge=1, le=65535, description="Port of the Quasimoto MCP server")
    metrics_port: int = Field(9090, ge=1, le=65535, description="Port of the metrics exporter")
    worker_port: int = Field(0, ge=0, le=65535, description="Port on which a worker tells its health and metrics; 0 opens none")
    redis_port: int = Field(6379, ge=1, le=65535, description="Port of Redis")
    nginx_http_port: int = Field(80, ge=1, le=65535, description="Port of nginx for HTTP")
    nginx_https_port: int = Field(443, ge=1, le=65535, description="Port of nginx for HTTPS")
    prometheus_port: int = Field(9091, ge=1, le=65535, description="Port of Prometheus")
    grafana_port: int = Field(3000, ge=1, le=65535, description="Port of Grafana")
    allowed_hosts: str = Field("", description="Further Host names that requests may carry, separated by commas")

    # Data
    dredge_data: Path = Field(Path("dredge-data"), description="Folder of the embedded default: store, queue and logs")
    dredge_store: str = Field("", description="Where signals and models live: a folder, file://, s3://, gs:// or az:// "
                                              "(empty: the folder `store` in DREDGE_DATA)")
    redis_url: SecretStr = Field(SecretStr(""), description="URL of Redis; empty with no REDIS_HOST means the embedded queue")
    redis_host: str = Field("", description="Host of Redis, when REDIS_URL is not given")
    redis_password: SecretStr = Field(SecretStr(""), description="Password of Redis, when REDIS_URL is not given")
    redis_max_memory: str = Field("512mb", pattern=r"^\d+(kb|mb|gb)?$", description="Memory that the Redis container may use")

    # Limits
    max_upload_mb: int = Field(512, ge=1, description="Largest upload, in MiB")
    max_samples: int = Field(50_000_000, ge=1, description="Most samples that one signal may hold, over all channels")
    max_lift_samples: int = Field(16_384, ge=2, description="Most samples that /lift takes; longer recordings become a fit job")
    max_lift_seconds: float = Field(10.0, gt=0, description="Most seconds that a lift may take")
    max_evaluate_cost: int = Field(200_000_000, ge=1, description="Most points × waves that one request may ask for")
    max_waves: int = Field(2_048, ge=1, description="Most waves that a fit may be asked for")
    max_queued_jobs: int = Field(10_000, ge=1, description="Most jobs that may wait; further ones are refused with 429")

    # Work
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="Where models are evaluated")
    cuda_visible_devices: str = Field("", description="GPUs that the process may see, as CUDA reads it")
    gpu_count: int = Field(1, ge=0, description="GPUs that the container reserves")
    worker_concurrency: int = Field(2, ge=1, le=256, description="Jobs that one worker runs at once")
    worker_replicas: int = Field(2, ge=0, description="Worker containers")
    server_replicas: int = Field(1, ge=0, description="Further containers of the DREDGE server behind nginx")
    worker_grace: float = Field(30.0, ge=0, description="Seconds a worker that is asked to stop lets its jobs finish before it "
                                                        "hands them back")
    server_worker: Literal["auto", "always", "never"] = Field(
        "auto", description="Whether `dredge serve` runs a worker of its own; auto means when no other is there")
    job_time_limit: float = Field(3600.0, gt=0, description="Seconds that a job may run")
    job_retries: int = Field(3, ge=0, description="Times that a job that failed is tried again")
    job_lease: float = Field(15.0, ge=1, description="Seconds after which a job of a worker that fell silent is run again")
    server_threads: int = Field(16, ge=1, description="Requests that one server process answers at once")
    cache_enabled: bool = Field(True, description="Keep results of evaluations")
    cache_models: int = Field(64, ge=1, description="Models that a process holds ready")

    # Watching
    metrics_enabled: bool = Field(True, description="Serve /metrics")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least severe log line that is written")
    log_format: Literal["auto", "text", "json"] = Field("auto", description="auto: text on a terminal, JSON elsewhere")
    flask_env: Literal["production", "development"] = Field("production", description="development turns on reloading")
    otel_exporter_otlp_endpoint: str = Field("", description="Where traces go; empty sends none")

    # Keys
    dredge_auth: Literal["keys", "none"] = Field("keys", description="none lets anyone in when listening beyond loopback")
    dredge_api_keys: SecretStr = Field(
        SecretStr(""), description="API keys, separated by commas, each `name:scopes:key` with scopes from read, write, admin")
    grafana_password: SecretStr = Field(SecretStr(""), description="Password of Grafana's admin")

    # Containers
    version: str = Field("latest", description="Image version that the containers run")
    bind_address: str = Field("127.0.0.1", description="Address of the host on which containers publish their ports")
    tls_names: str = Field("", description="Host names for the self-signed certificate, separated by commas")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, dotenv_settings

    @model_validator(mode="before")
    @classmethod
    def _read_secret_files(cls, values: dict[str, Any]) -> dict[str, Any]:
        for name in secret_names():
            path = os.environ.get(f"{name.upper()}_FILE")
            if path and not values.get(name):
                try:
                    values[name] = _content(path)
                except OSError as error:
                    raise ValueError(f"{name.upper()}_FILE={path}: {error.strerror}") from error
        return values

    def secret(self, name: str) -> str:
        """A secret as its file holds it now, so that one that is put right needs no restart; else as it was at the start.

        Raises OSError when the file cannot be read.
        """
        path = os.environ.get(f"{name.upper()}_FILE")
        held: str = getattr(self, name).get_secret_value()
        return _content(path) if path and not os.environ.get(name.upper()) else held

    @classmethod
    def load(cls, **overrides: Any) -> Settings:
        """Read the settings; `overrides` (lower-case names) win over the environment and `.env`.

        Raises InvalidSetting naming every bad value.
        """
        try:
            return cls(**{name: value for name, value in overrides.items() if value is not None})
        except ValidationError as error:
            raise InvalidSetting(_explain(error), field=_first_name(error),
                                 hint="`dredge config` lists every setting with its meaning.") from None

    @property
    def store_url(self) -> str:
        """Where the store is, as a URL or a folder."""
        return self.dredge_store or str(self.dredge_data.resolve() / "store")

    @property
    def broker_url(self) -> str | None:
        """URL of Redis with the password as it is now, or None for the embedded queue."""
        if self.redis_url.get_secret_value():
            return self.secret("redis_url")
        if not self.redis_host:
            return None
        password = quote(self.secret("redis_password"), safe="")
        return f"redis://{':' + password + '@' if password else ''}{self.redis_host}:{self.redis_port}/0"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the servers."""
        return self.dredge_host in LOOPBACK

    def environment(self) -> dict[str, str]:
        """The settings that differ from their defaults, as environment variables for a child process, which reads the files
        of secrets itself."""
        return {name.upper(): _plain(getattr(self, name)) for name, field in type(self).model_fields.items()
                if getattr(self, name) != field.default and f"{name.upper()}_FILE" not in os.environ}


def secret_names() -> list[str]:
    """Names of the settings whose value is a secret."""
    return [name for name, field in Settings.model_fields.items() if field.annotation is SecretStr]


def describe(settings: Settings) -> list[Mapping[str, Any]]:
    """One row a setting (name, type, default, value, help); secrets are hidden."""
    secrets = set(secret_names())
    rows: list[Mapping[str, Any]] = []
    for name, field in Settings.model_fields.items():
        kind = "secret" if name in secrets else getattr(field.annotation, "__name__", str(field.annotation))
        choices = getattr(field.annotation, "__args__", ())
        value = getattr(settings, name)
        rows.append({
            "name": name.upper(),
            "type": " | ".join(map(str, choices)) if kind == "Literal" else kind,
            "default": "" if name in secrets else _plain(field.default),
            "value": ("(set)" if value.get_secret_value() else "") if name in secrets else _plain(value),
            "help": field.description,
        })
    return rows


def _content(path: str) -> str:
    return Path(path).read_text(encoding="utf-8").strip()


def _plain(value: Any) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return str(value).lower() if isinstance(value, bool) else str(value)


def _first_name(error: ValidationError) -> str | None:
    location = error.errors()[0]["loc"]
    return str(location[0]).upper() if location else None


def _explain(error: ValidationError) -> str:
    parts = []
    for item in error.errors():
        name = str(item["loc"][0]).upper() if item["loc"] else ""
        if name.lower() in secret_names() or not name:
            parts.append(f"{name} {item['msg'].removeprefix('Value error, ')}".strip() + ".")
        else:
            parts.append(f"{name}={item['input']!r} cannot be used: {item['msg']}.")
    return " ".join(parts)


