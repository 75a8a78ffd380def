# The image: one binary for the daemon, the compactor and the catalog server, and nothing else to run.
#
#   docker build --build-arg COMMIT="$(git rev-parse --short=12 HEAD)" --tag tributary .
#
# The first stage needs an image registry and crates.io. Who has built the binary already hands over its root file
# system in that stage's place:
#
#   deploy/image/rootfs target/dist/tributary /tmp/rootfs
#   buildah build --format docker --build-context rootfs=/tmp/rootfs --tag tributary .
FROM docker.io/library/rust:1.95-bookworm AS build
# The checkout's .git is not copied: this names the commit in `tributary --version`.
ARG COMMIT=unknown
WORKDIR /source
COPY . .
RUN TRIBUTARY_COMMIT="$COMMIT" cargo build --profile dist --locked --package tributary \
  && deploy/image/rootfs target/dist/tributary /rootfs

FROM scratch AS rootfs
COPY --from=build /rootfs /

FROM scratch
ARG COMMIT=unknown
LABEL org.opencontainers.image.title="Tributary" \
      org.opencontainers.image.description="Keeps Apache Paimon append tables filled, without a JVM" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.revision="$COMMIT"
COPY --from=rootfs / /
# The only folder this user may write to, also what is temporary; made of an empty one.
COPY --from=rootfs --chown=65532:65532 /etc/tributary /data
USER 65532:65532
WORKDIR /data
# From inside a container loopback reaches nobody. The catalog server then insists on a token.
ENV TRIBUTARY_HTTP__LISTEN=0.0.0.0:9249 \
    TRIBUTARY_COMPACTOR__LISTEN=0.0.0.0:9250 \
    TRIBUTARY_SERVER__LISTEN=0.0.0.0:9190 \
    TMPDIR=/data
EXPOSE 9249 9250 9190
HEALTHCHECK --interval=10s --timeout=6s --start-period=30s CMD ["/usr/local/bin/tributary", "health"]
ENTRYPOINT ["/usr/local/bin/tributary"]
CMD ["--help"]
