# Pulse in a container. `make image-check` builds and runs it, with the same stages, where there is no Docker.
#
#   docker build --tag pulse .
#   docker run --rm --read-only --volume pulse-work:/work pulse pulse train --data sample
#
# It holds no credentials: on AWS they come from the job's role, elsewhere from the environment it is run in.
ARG BASE=python:3.11.14-slim-bookworm

FROM ${BASE} AS tools
WORKDIR /source
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ONLY_BINARY=:all: \
    PIP_REQUIRE_HASHES=1 \
    PIP_ROOT_USER_ACTION=ignore
RUN python3 -m venv /tools

# Pulse itself: the wheel with the compiled kernel. What builds it, a C compiler too, stays in this stage.
FROM tools AS wheel
# The lists first: as long as they stay as they are, so does this layer.
COPY requirements/run.txt requirements/compiler.txt requirements/
RUN /tools/bin/pip install --quiet --requirement requirements/run.txt \
    && /tools/bin/pip install --quiet --requirement requirements/compiler.txt
COPY pyproject.toml hatch_build.py README.md LICENSE ./
COPY src src
# The wheel has no hash to be held to: it is made here, from this source.
RUN PIP_REQUIRE_HASHES=0 /tools/bin/pip wheel --quiet --no-deps --no-build-isolation --wheel-dir /wheels .

# What the wheel needs, and the wheel.
FROM tools AS build
COPY requirements/image.txt requirements/
RUN python3 -m venv --without-pip /opt/pulse \
    && /tools/bin/pip --python /opt/pulse/bin/python install --quiet --requirement requirements/image.txt
COPY --from=wheel /wheels /wheels
RUN PIP_REQUIRE_HASHES=0 /tools/bin/pip --python /opt/pulse/bin/python install --quiet --no-deps --no-index /wheels/*.whl

FROM ${BASE}
ARG VERSION=0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="pulse" \
      org.opencontainers.image.description="Replays history point in time and learns how far forecasts can be trusted" \
      org.opencontainers.image.licenses="Apache-2.0 AND NCSA" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# tini is PID 1: it hands SIGTERM on, so that a run ends in order with 75, and reaps what its workers leave.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends tini=0.19.0-* \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 pulse \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /work --shell /usr/sbin/nologin pulse \
    && install --directory --owner pulse --group pulse /work /work/logs /work/cache /work/tmp
COPY --from=build /opt/pulse /opt/pulse
# All that a run writes is below /work: everything else may be read-only.
ENV PATH=/opt/pulse/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/work \
    LOG_DIR=/work/logs \
    PULSE_CACHE_DIR=/work/cache \
    TMPDIR=/work/tmp
WORKDIR /work
VOLUME ["/work"]
USER 10001:10001
# A job ends by itself, and AWS Batch asks nobody whether it is well.
HEALTHCHECK NONE
ENTRYPOINT ["tini", "--"]
CMD ["pulse-batch"]
