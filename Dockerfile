# Images of the production-like stack in docker-compose.yml: the worker with the command line, and an
# OpenSSH server that plays the partners' and destinations' SFTP.

FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN go build -tags release -trimpath -ldflags "-s -w" -o /out/worker ./worker \
 && CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o /out/starter ./starter

FROM debian:bookworm-slim AS worker
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates libstdc++6 tzdata \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 10001 --create-home prospector \
 && install -d -o prospector /data
COPY --from=build /out/worker /out/starter /usr/local/bin/
USER prospector
VOLUME /data
ENTRYPOINT ["worker"]
CMD ["run", "--workspace", "/workspace", "--data-dir", "/data", "--log-json"]

FROM debian:bookworm-slim AS sftp
RUN apt-get update \
 && apt-get install -y --no-install-recommends openssh-server \
 && rm -rf /var/lib/apt/lists/* /etc/ssh/ssh_host_* \
 && useradd --uid 10002 --no-create-home --home-dir /upload --shell /usr/sbin/nologin prospector \
 && install -d -m 755 /run/sshd /srv/sftp \
 && install -d -o prospector /srv/sftp/upload /srv/sftp/upload/merk /srv/sftp/upload/merk/outgoing \
      /srv/sftp/upload/liveramp /srv/sftp/upload/liveramp/uploads \
 && printf '%s\n' \
      'Port 22' \
      'HostKey /etc/ssh/host/ssh_host_ed25519_key' \
      'PermitRootLogin no' \
      'PasswordAuthentication yes' \
      'Subsystem sftp internal-sftp' \
      'Match User prospector' \
      '  ChrootDirectory /srv/sftp' \
      '  ForceCommand internal-sftp -d /upload' \
      '  AllowTcpForwarding no' \
      '  X11Forwarding no' \
      > /etc/ssh/sshd_config
# The host key is made once and kept in a volume, its public half in another that the worker reads.
CMD ["/bin/sh", "-c", "set -eu; \
  [ -f /etc/ssh/host/ssh_host_ed25519_key ] || ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/host/ssh_host_ed25519_key; \
  install -m 644 /etc/ssh/host/ssh_host_ed25519_key.pub /public/host_key.pub; \
  echo \"prospector:$SFTP_PASSWORD\" | chpasswd; \
  exec /usr/sbin/sshd -D -e"]
