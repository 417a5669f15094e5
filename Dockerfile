# Three images of one source: docker build --target proxy (or emulator, or loadtest) .
# docs/docker.md says how they are used, tests/EndToEnd/Images builds and runs them.
#
# Ubuntu 24.04 ("noble"), chiseled: glibc, OpenSSL 3.0 and .NET, no shell and no package manager. Whoever takes another base brings libssl.so.3 and libcrypto.so.3 of
# OpenSSL 3.0 with it. The base of the emulator is a layer of the base of the others.
ARG SDK_IMAGE=mcr.microsoft.com/dotnet/sdk:10.0.401-noble
ARG RUNTIME_IMAGE=mcr.microsoft.com/dotnet/runtime:10.0.12-noble-chiseled
ARG ASPNET_IMAGE=mcr.microsoft.com/dotnet/aspnet:10.0.12-noble-chiseled

# The SDK runs on the machine that builds and compiles for the one that is asked for (--platform linux/amd64, linux/arm64).
FROM --platform=$BUILDPLATFORM ${SDK_IMAGE} AS publish
ARG TARGETARCH
WORKDIR /source

# The projects alone first: packages are fetched again only when one of these files changes.
COPY global.json Directory.Build.props Directory.Packages.props .editorconfig ./
COPY accel/Abi/WarpDrive.Abi.csproj accel/Abi/
COPY accel/Driver/WarpDrive.Driver.csproj accel/Driver/
COPY accel/Linux/WarpDrive.Linux.csproj accel/Linux/
COPY accel/OpenSsl/WarpDrive.OpenSsl.csproj accel/OpenSsl/
COPY emulator/Device/WarpDrive.Emulator.csproj emulator/Device/
COPY emulator/Engines/WarpDrive.Engines.csproj emulator/Engines/
COPY emulator/Server/WarpEmulator.csproj emulator/Server/
COPY loadtest/ConstantTime/Timing/WarpConstantTime.csproj loadtest/ConstantTime/Timing/
COPY loadtest/WarpLoadTest.csproj loadtest/
COPY proxy/WarpProxy.csproj proxy/
RUN dotnet restore loadtest/WarpLoadTest.csproj -a $TARGETARCH

# Framework-dependent: the three share one .NET, which is a layer of the base; self-contained each would carry its own.
# warp-loadtest compare starts the other two, so that its image has them, too.
COPY . .
RUN dotnet publish proxy/WarpProxy.csproj -c Release -a $TARGETARCH --no-self-contained --no-restore -o /out/proxy \
 && dotnet publish emulator/Server/WarpEmulator.csproj -c Release -a $TARGETARCH --no-self-contained --no-restore -o /out/emulator \
 && dotnet publish loadtest/WarpLoadTest.csproj -c Release -a $TARGETARCH --no-self-contained --no-restore -o /out/loadtest \
 && cp -rn /out/proxy/. /out/emulator/. /out/loadtest/ \
 && mkdir /out/empty


FROM ${RUNTIME_IMAGE} AS emulator
ARG VERSION=1.0.0
LABEL org.opencontainers.image.title="warp-emulator" \
      org.opencontainers.image.description="An RSA accelerator in software, for WarpProxy in other containers" \
      org.opencontainers.image.version=$VERSION \
      org.opencontainers.image.licenses="MIT"

# Without its diagnostics .NET writes nothing to /tmp, so that the root file system may be read-only. Memory is shared through file descriptors
# (memfd), so that neither /dev/shm nor a common IPC namespace is needed.
ENV DOTNET_EnableDiagnostics=0 \
    XDG_CACHE_HOME=/var/cache \
    PATH=/app:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
COPY --from=publish /out/emulator/ /app/
COPY LICENSE /app/

# A volume that is mounted here for the first time gets this owner.
COPY --from=publish --chown=10001:10001 /out/empty/ /run/warp/
COPY --from=publish --chown=10001:10001 /out/empty/ /var/cache/warpproxy/
USER 10001:10001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 CMD [ "/app/warp-emulator", "probe" ]
ENTRYPOINT [ "/app/warp-emulator" ]
CMD [ "--socket", "/run/warp/device.sock" ]


FROM ${ASPNET_IMAGE} AS loadtest
ARG VERSION=1.0.0
LABEL org.opencontainers.image.title="warp-loadtest" \
      org.opencontainers.image.description="Measures WarpProxy and other TLS servers" \
      org.opencontainers.image.version=$VERSION \
      org.opencontainers.image.licenses="MIT"
ENV DOTNET_EnableDiagnostics=0 \
    XDG_CACHE_HOME=/var/cache \
    PATH=/app:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
COPY --from=publish /out/loadtest/ /app/
COPY LICENSE /app/
COPY --from=publish --chown=10001:10001 /out/empty/ /var/cache/warpproxy/
USER 10001:10001
STOPSIGNAL SIGTERM
ENTRYPOINT [ "/app/warp-loadtest" ]
CMD [ "--help" ]


# The last: what docker build makes without --target.
FROM ${ASPNET_IMAGE} AS proxy
ARG VERSION=1.0.0
LABEL org.opencontainers.image.title="warpproxy" \
      org.opencontainers.image.description="A TLS-terminating reverse proxy that hands private-key operations to an accelerator" \
      org.opencontainers.image.version=$VERSION \
      org.opencontainers.image.licenses="MIT"
ENV DOTNET_EnableDiagnostics=0 \
    XDG_CACHE_HOME=/var/cache \
    XDG_DATA_HOME=/var/lib \
    PATH=/app:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
COPY --from=publish /out/proxy/ /app/
COPY LICENSE /app/

# Settings of the image, which a file that is mounted in its place replaces altogether; variables of the image would be stronger than that file.
COPY deploy/docker/proxy.json /etc/warpproxy/

# The development certificate, and how quick the engines of the embedded device are.
COPY --from=publish --chown=10001:10001 /out/empty/ /var/lib/warpproxy/
COPY --from=publish --chown=10001:10001 /out/empty/ /var/cache/warpproxy/
COPY --from=publish --chown=10001:10001 /out/empty/ /run/warp/
USER 10001:10001
EXPOSE 8443 9902
# SIGTERM drains: docker stop --time must be longer than Shutdown:Drain and five seconds.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 CMD [ "/app/warpproxy", "probe" ]
ENTRYPOINT [ "/app/warpproxy" ]
CMD [ "--config", "/etc/warpproxy/proxy.json" ]
