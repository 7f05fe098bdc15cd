# What the servers under tests/real have in common: a folder of their own, a lock on it, packages,
# and processes that count as ours only while they still name that folder. Sourced by start and stop.

log() { printf '%s: %s\n' "$name" "$*" >&2; }
die() { log "$*"; exit 1; }

# open_folder NAME [DATADIR]: sets name and data, and holds the folder for this script alone. A
# folder that was not made for this server is refused.
open_folder() {
  name=$1; data=${2:-}
  [ -n "$data" ] || data=$(mktemp -d "${TMPDIR:-/tmp}/real-$name.XXXXXX")
  mkdir -p "$data"; data=$(cd "$data" && pwd -P)
  if [ -n "$(ls -A "$data")" ] && [ ! -e "$data/.real-$name" ]; then
    die "$data is not empty and was not made by this script"
  fi
  touch "$data/.real-$name"
  exec 9>"$data/.lock"; flock -w 600 9 || die "another start or stop holds $data"
  mkdir -p "$data/log"
}

# A pid counts as ours only while the process still names this data folder.
alive() {
  local pid; pid=$(cat "$data/$1.pid" 2>/dev/null) || return 1
  [ -n "$pid" ] && [ -r "/proc/$pid/cmdline" ] &&
    tr '\0' ' ' <"/proc/$pid/cmdline" | grep -qF -- "$data/"
}

# Ends the script where all of these processes run already.
already_running() {
  local p; for p in "$@"; do alive "$p" || return 0; done
  [ -s "$data/env" ] || return 0
  log "already running"; cat "$data/env"; exit 0
}

# install_packages PACKAGE...: as root, or not at all.
install_packages() {
  [ $# -gt 0 ] || return 0
  [ "$(id -u)" = 0 ] || die "missing: $* (install them as root, then run this again)"
  log "installing $*"; export DEBIAN_FRONTEND=noninteractive
  local apt=(apt-get -y -qq -o DPkg::Lock::Timeout=600 --no-install-recommends install "$@")
  "${apt[@]}" >"$data/log/apt.log" 2>&1 || { apt-get -qq update && "${apt[@]}"; } >>"$data/log/apt.log" 2>&1 ||
    die "apt-get failed, see $data/log/apt.log"
}

# suite_options SUITE: sets apt_options to a package list of its own, so the machine's apt is not
# touched.
suite_options() {
  local a="${XDG_CACHE_HOME:-$HOME/.cache}/real-platforms/apt-$1" repo
  mkdir -p "$a/lists/partial" "$a/cache/archives/partial"
  if [ ! -s "$a/src.list" ]; then
    [ -n "$(ls /var/lib/apt/lists/*Packages* 2>/dev/null)" ] || apt-get -qq update >>"$data/log/apt.log" 2>&1 || true
    repo=$(apt-get indextargets --format '$(ORIGIN) $(REPO_URI)' 'Identifier: Packages' | awk '$1=="Debian" && $2 !~ /security/ {print $2; exit}')
    [ -n "$repo" ] || die "no Debian source is configured"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $repo $1 main" >"$a/src.list"
  fi
  apt_options=(-o "Dir::Etc::SourceList=$a/src.list" -o Dir::Etc::SourceParts=/dev/null -o "Dir::State::Lists=$a/lists" -o "Dir::Cache=$a/cache")
}

# wait_up URL LOG [TRIES]: until the server's process answers there with 200. For its first two
# seconds it may still bear the name of this script: it counts as dead only after them.
wait_up() {
  local n; for n in $(seq "${3:-150}"); do
    [ "$(curl -s -o /dev/null -m 10 -w '%{http_code}' "$1" || true)" != 200 ] || return 0
    [ "$n" -lt 10 ] || alive web || break
    sleep 0.2
  done
  die "the server did not answer, see $2"
}

# Shows how the server is reached; what is to be shown has been written to $data/env.
tell() { chmod 600 "$data/env"; log "ready at $url"; cat "$data/env"; }

# stop NAME "PROCESS..." DATADIR [--purge]: stops what start began for the folder, and nothing else.
stop() {
  name=$1; data=${3:-}
  [ -n "$data" ] || { echo "usage: stop DATADIR [--purge]" >&2; exit 1; }
  [ -d "$data" ] || exit 0
  data=$(cd "$data" && pwd -P)
  [ -e "$data/.real-$name" ] || die "$data was not made by start"
  exec 9>"$data/.lock"; flock -w 300 9
  local p pid; for p in $2; do
    if alive "$p"; then
      pid=$(cat "$data/$p.pid")
      kill -TERM -- "-$pid" 2>/dev/null || kill -TERM "$pid" 2>/dev/null || true  # start made it a group leader
      for _ in $(seq 100); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
      kill -0 "$pid" 2>/dev/null && kill -KILL -- "-$pid" 2>/dev/null || true
    fi
    rm -f "$data/$p.pid"
  done
  [ ! -s "$data/sockdir" ] || rm -rf "$(cat "$data/sockdir")"
  [ "${4:-}" != --purge ] || rm -rf "$data"
}
