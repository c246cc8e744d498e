# One image, one entry per service: `docker run hone data`, `docker run hone inference`, …
#
# Two stages can be replaced by images:
#   --build-arg PACKAGES=IMAGE   holds OWNER/NAME.git, mirrors of the packages for a machine that does
#                                not reach their host
#   --build-arg PROGRAMS=IMAGE   holds /out/bin and /out/lib, programs that were built elsewhere
ARG PACKAGES=scratch
ARG PROGRAMS=build

FROM ${PACKAGES} AS packages

FROM swift:6.3-bookworm AS build
RUN apt-get update && apt-get install -yq --no-install-recommends \
        libnghttp2-dev libssl-dev libopenblas-dev libcurl4-openssl-dev libxml2-dev libcld2-dev \
        libsqlite3-dev zlib1g-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY Package.swift ./
COPY Sources Sources
COPY services services
# The manifest names the folders of the tests, too.
COPY Tests Tests
RUN --mount=type=cache,target=/source/.build --mount=type=bind,from=packages,target=/packages \
    if [ -d /packages/apple ]; then \
        git config --global url./packages/.insteadOf https://github.com/ \
        && git config --global safe.directory '*'; \
    fi \
    && swift build -c release \
    && mkdir -p /out/bin /out/lib \
    && find .build/release/ -maxdepth 1 -type f -name 'hone*' -executable -exec cp {} /out/bin/ \; \
    && find .build/release/ -maxdepth 1 -name '*.resources' -exec cp -r {} /out/bin/ \; \
    && cp /usr/lib/swift/linux/lib*.so /out/lib/ \
    && strip /out/bin/hone*

FROM ${PROGRAMS} AS programs

FROM debian:bookworm-slim AS runtime
RUN apt-get update && apt-get install -yq --no-install-recommends \
        libnghttp2-14 libssl3 libopenblas0-pthread libcurl4 libxml2 libcld2-0 libsqlite3-0 zlib1g \
        libstdc++6 ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /var/lib/hone --create-home hone
COPY --from=programs /out/lib /usr/lib/hone
COPY --from=programs /out/bin /usr/bin
COPY services/entry.sh /usr/bin/hone-entry
COPY services/gateway/workflows /usr/share/hone/workflows
ENV LD_LIBRARY_PATH=/usr/lib/hone
USER hone
WORKDIR /var/lib/hone
VOLUME /var/lib/hone
ENTRYPOINT ["/usr/bin/hone-entry"]
CMD ["--help"]
