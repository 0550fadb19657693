#!/bin/sh
# Makes sure that a Docker Engine answers and has the image that the tests run.
#
# An engine that is there is used. Where none is, and this is root on Debian, the
# distribution's package is installed and started, with options that work inside a
# container or micro-VM. Nothing is pulled: the image is made from busybox-static.
set -eu

image=dayfly-test:latest
# Raised when what is in the image changes.
revision=3
log=${TMPDIR:-/tmp}/dayfly-dockerd.log

fail() { echo "docker-engine: $*" >&2; exit 1; }
answers() { docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

have() { command -v "$1" >/dev/null 2>&1; }

install_packages() {
  [ "$(id -u)" = 0 ] && have apt-get ||
    fail "missing: $*. Install them, and start a Docker Engine, then run this again."
  apt-get update -q >/dev/null
  DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "$@" >"$log" 2>&1 ||
    { tail -n 20 "$log" >&2; fail "apt-get could not install: $*"; }
}

if ! have docker || ! { answers || have dockerd; }; then
  # The last two are what containers need where no init system has set them up.
  install_packages docker.io ca-certificates apparmor cgroupfs-mount
fi

if ! answers; then
  [ "$(id -u)" = 0 ] || fail "no Docker Engine answers, and only root can start one here"
  # An init system does this at boot; where there is none, or it did not run the package's
  # script, nobody did.
  if have cgroupfs-mount && ! grep -q ' /sys/fs/cgroup' /proc/mounts; then cgroupfs-mount; fi
  rm -f /var/run/docker.pid
  nohup dockerd --storage-driver=vfs --iptables=false --ip6tables=false --ip-masq=false \
    >"$log" 2>&1 &
  tries=0
  until answers; do
    tries=$((tries + 1))
    [ "$tries" -le 60 ] || { tail -n 20 "$log" >&2; fail "dockerd did not answer within 60 s"; }
    sleep 1
  done
fi

found=$(docker image inspect --format '{{index .Config.Labels "dayfly.revision"}}' "$image" 2>/dev/null || true)
if [ "$found" != "$revision" ]; then
  [ -x /bin/busybox ] || install_packages busybox-static
  root=$(mktemp -d)
  trap 'rm -rf "$root"' EXIT
  mkdir -p "$root/bin" "$root/tmp" "$root/etc"
  chmod 755 "$root"
  cp /bin/busybox "$root/bin/busybox"
  chmod 1777 "$root/tmp"
  echo 'root:x:0:0:root:/:/bin/sh' >"$root/etc/passwd"
  for applet in $(/bin/busybox --list); do
    [ "$applet" = busybox ] || ln -sf busybox "$root/bin/$applet"
  done
  tar -C "$root" -c . |
    docker import --change 'ENV PATH=/bin' --change "LABEL dayfly.revision=$revision" - "$image" >/dev/null
fi

echo "Docker Engine $(docker version --format '{{.Server.Version}}') is ready with $image"
