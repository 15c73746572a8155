# One file, three targets:
#   cpu-build   the servers, the worker and the exporter (default)
#   gpu-build   the same with a CUDA build of torch
#   dev         with everything the tests need
# Everything but torch and DREDGE itself lies in one layer that all three share; a change of the sources renews only the last.

ARG PYTHON=3.11

FROM python:${PYTHON}-slim AS base
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
ENV PATH=/opt/dredge/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1
# tini reaps what a killed worker leaves. ping is for the operator; the copy has no file capability, which a container without
# capabilities may not run. Debian's security updates are wanted, so no versions.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends tini iputils-ping \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/* \
    && cp /usr/bin/ping /usr/local/bin/ping \
    && useradd --uid 10001 --user-group --no-create-home --home-dir /data --shell /usr/sbin/nologin dredge \
    && install -d -o dredge -g dredge /data /secrets /secrets/api /secrets/redis /secrets/grafana /secrets/tls

FROM base AS libraries
WORKDIR /src
COPY pyproject.toml requirements.lock ./
COPY scripts/libraries scripts/slim scripts/
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends binutils && rm -rf /var/lib/apt/lists/*
RUN python -m venv --without-pip /opt/dredge \
    && scripts/libraries > wanted \
    && pip --python /opt/dredge/bin/python install --no-compile -c requirements.lock -r wanted \
    && scripts/slim /opt/dredge

# What torch adds to that, by itself.
FROM libraries AS torch-cpu
ARG TORCH=2.13.0
ARG TORCH_CPU_INDEX=https://download.pytorch.org/whl/cpu
# hadolint ignore=DL4006 # bash with pipefail is set in the stage base
RUN touch /before \
    && { pip --python /opt/dredge/bin/python install --no-compile -c requirements.lock "torch==${TORCH}+cpu" \
            --extra-index-url "${TORCH_CPU_INDEX}" \
        || pip --python /opt/dredge/bin/python install --no-compile -c requirements.lock "torch==${TORCH}"; } \
    && install -d /opt/torch \
    && find /opt/dredge -cnewer /before \( -type f -o -type l \) -printf '%P\0' \
        | tar -c -C /opt/dredge --null -T - | tar -x -C /opt/torch \
    && scripts/slim /opt/torch

FROM libraries AS torch-gpu
# 2.7.1 is the last torch built for CUDA 11.8. Newer: --build-arg CUDA=cu128 --build-arg TORCH_GPU=2.13.0
ARG CUDA=cu118
ARG TORCH_GPU=2.7.1
ARG TORCH_GPU_REQUIREMENT=torch==${TORCH_GPU}+${CUDA}
ARG TORCH_GPU_INDEX=https://download.pytorch.org/whl/${CUDA}
# hadolint ignore=DL3013,DL4006 # the version is in the argument; bash with pipefail is set in the stage base
RUN touch /before \
    && pip --python /opt/dredge/bin/python install --no-compile "${TORCH_GPU_REQUIREMENT}" --extra-index-url "${TORCH_GPU_INDEX}" \
    && install -d /opt/torch \
    && find /opt/dredge -cnewer /before \( -type f -o -type l \) -printf '%P\0' \
        | tar -c -C /opt/dredge --null -T - | tar -x -C /opt/torch \
    && scripts/slim /opt/torch

FROM libraries AS package
COPY README.md LICENSE ./
COPY examples/recordings examples/recordings
COPY src src
RUN pip --python /opt/dredge/bin/python install --no-compile --no-deps --prefix /opt/package . \
    && PYTHONPATH=/opt/dredge python -m compileall -q /opt/package

# What all images that run DREDGE have in common.
FROM base AS runtime
COPY --from=libraries /opt/dredge /opt/dredge
ENV DREDGE_HOST=0.0.0.0 \
    DREDGE_DATA=/data \
    LOG_FORMAT=json \
    MPLCONFIGDIR=/tmp \
    NUMBA_CACHE_DIR=/tmp \
    OMP_NUM_THREADS=1
WORKDIR /data
VOLUME /data
EXPOSE 3001 3002 9090 9100
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=4s --start-period=60s --retries=3 CMD ["python", "-m", "dredge.health"]
ENTRYPOINT ["tini", "--", "dredge"]
CMD ["serve"]
ARG REVISION=unknown
LABEL org.opencontainers.image.title="DREDGE" \
      org.opencontainers.image.description="Turns recordings into waves" \
      org.opencontainers.image.source="https://github.com/QueenFi703/DREDGE-Cli" \
      org.opencontainers.image.licenses="MIT"

FROM runtime AS gpu-build
COPY --from=torch-gpu /opt/torch /opt/dredge
ENV NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
# The bytecode of what a start imports, so that a read-only root costs no time at each start.
RUN python -c "import dash, dash_ag_grid, flask_openapi3, gunicorn.app.base, matplotlib.figure, mcp, obstore, redis, rq, scipy.signal, torch, uvicorn"
COPY --from=package /opt/package /opt/dredge
ARG REVISION=unknown
LABEL org.opencontainers.image.revision="${REVISION}"
USER 10001:10001
CMD ["mcp"]

FROM runtime AS dev
COPY --from=torch-cpu /opt/torch /opt/dredge
WORKDIR /src
COPY pyproject.toml requirements.lock README.md LICENSE ./
COPY src/dredge/_version.py src/dredge/_version.py
COPY examples examples
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends chromium git make redis-server \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/* \
    && pip install --upgrade "pip>=25.1" \
    && pip --python /opt/dredge/bin/python install -c requirements.lock --group test \
    && pip --python /opt/dredge/bin/python install --no-deps -e . \
    && chown -R dredge:dredge /src
COPY --chown=dredge:dredge . .
USER 10001:10001
ENTRYPOINT ["tini", "--"]
HEALTHCHECK NONE
CMD ["pytest", "-m", "not stack"]

FROM runtime AS cpu-build
COPY --from=torch-cpu /opt/torch /opt/dredge
RUN python -c "import dash, dash_ag_grid, flask_openapi3, gunicorn.app.base, matplotlib.figure, mcp, obstore, redis, rq, scipy.signal, torch, uvicorn"
COPY --from=package /opt/package /opt/dredge
ARG REVISION=unknown
LABEL org.opencontainers.image.revision="${REVISION}"
USER 10001:10001
