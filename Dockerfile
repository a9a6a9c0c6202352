# The binary is static: no libc, no shell, nothing to patch but itself.
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ENV CGO_ENABLED=0
RUN go build -trimpath -ldflags="-s -w" -o /out/rolecall ./cmd/rolecall && mkdir -p /out/data

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /out/rolecall /rolecall
# The only place that is written: mount a volume here, and the root file
# system can be read-only. SQLite needs a local disk, never NFS.
COPY --from=build --chown=65532:65532 /out/data /data
VOLUME /data
USER 65532:65532
ENV ROLECALL_DATABASE=/data/rolecall.db \
    ROLECALL_POLICY=/etc/rolecall/policy.yaml \
    ROLECALL_LISTEN=0.0.0.0:8080
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s CMD ["/rolecall", "health"]
ENTRYPOINT ["/rolecall"]
CMD ["serve"]
