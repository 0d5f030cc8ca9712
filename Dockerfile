# The images that docker-compose.yml runs: the demo's edge, alone or in a fleet,
# and its sample origin. Only `edge` is of use beyond the demo, as a pattern:
# Envoy's official image plus one .wasm file and your configuration.

FROM rust:1.95-slim-bookworm AS filter
# debian: for a rust image whose rustup has no servers (scripts/test-compose).
ARG WASM_TOOLCHAIN=native
ENV STREAMGATE_WASM_TOOLCHAIN=$WASM_TOOLCHAIN
RUN apt-get update \
 && apt-get install -y --no-install-recommends binaryen \
 && rustup target add wasm32-unknown-unknown
# Not /src, which stands in each file's name: scripts/build lets no module pass that names where it was built.
WORKDIR /build/streamgate
COPY . .
RUN scripts/build

# What is built on Debian 12 asks for glibc 2.34, which Envoy's image has; of a later one it may not.
FROM rust:1.95-slim-bookworm AS module
WORKDIR /build/streamgate
COPY . .
RUN scripts/native

FROM debian:bookworm-slim AS sample
RUN apt-get update \
 && apt-get install -y --no-install-recommends ffmpeg
WORKDIR /build/streamgate
COPY scripts/sample-video scripts/
RUN scripts/sample-video

# The player of the demo's page.
FROM node:22-bookworm-slim AS player
WORKDIR /build/streamgate/demo
COPY demo/package.json demo/package-lock.json demo/.npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund

FROM envoyproxy/envoy:v1.40.0 AS origin
WORKDIR /streamgate
COPY --from=sample /build/streamgate/build/sample build/sample
COPY client client
COPY demo demo
COPY --from=player /build/streamgate/demo/node_modules demo/node_modules
COPY envoy/origin.yaml envoy/
# No hot restart: in the network that both share, each would take the other for
# its successor.
CMD ["envoy", "-c", "envoy/origin.yaml", "--disable-hot-restart", "--concurrency", "1", "--log-level", "error"]

FROM envoyproxy/envoy:v1.40.0 AS edge
WORKDIR /streamgate
COPY --from=filter /build/streamgate/build/streamgate.wasm build/
COPY envoy/edge.yaml envoy/fleet.yaml envoy/
COPY scripts/fleet-config scripts/
# On a machine the edge listens on loopback only. In a container that would be
# the container's own: here it listens to all that reaches the container, and
# docker-compose.yml publishes the ports on the host's loopback.
RUN sed -i -E 's/127\.0\.0\.1(, port_value: (10000|10001|9901))/0.0.0.0\1/' envoy/edge.yaml envoy/fleet.yaml \
 && for edge in 0 1 2; do scripts/fleet-config $edge >envoy/fleet-$edge.yaml; done
CMD ["envoy", "-c", "envoy/edge.yaml", "--disable-hot-restart", "--concurrency", "2", \
     "--log-level", "warning", "--component-log-level", "wasm:info", \
     "--file-flush-interval-msec", "200"]

# The same with the native module.
FROM edge AS native
COPY --from=module /build/streamgate/build/libstreamgate.so build/
COPY envoy/native.yaml envoy/
RUN sed -i -E 's/127\.0\.0\.1(, port_value: (10000|10001|9901))/0.0.0.0\1/' envoy/native.yaml
CMD ["envoy", "-c", "envoy/native.yaml", "--disable-hot-restart", "--concurrency", "2", \
     "--log-level", "warning", "--component-log-level", "dynamic_modules:info", \
     "--file-flush-interval-msec", "200"]
