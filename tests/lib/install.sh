# What the tests need beside Rust: looked for, and installed where we may. Sourced by tests/run.

# Runs a command as root, or says that it cannot.
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; elif sudo -n true 2>/dev/null; then sudo "$@"; else return 1; fi
}

has() { command -v "$1" >/dev/null 2>&1; }

# Debian's package for each thing, printed if the thing is missing.
missing_packages() {
  has cc || echo gcc libc6-dev
  has curl || echo curl
  has flock || echo util-linux
  [ -e /etc/ssl/certs/ca-certificates.crt ] || echo ca-certificates
  # Exported packages are held by an independent checker, and by hand.
  has python3 || echo python3
  has openssl || echo openssl
  [ "$1" = quick ] && return
  [ -e /usr/share/dict/swedish ] || echo wswedish
  has chromium || [ -n "${CHROMIUM:-}" ] || echo chromium
  [ -z "${long:-}" ] || has firefox-esr || has firefox || echo firefox-esr
  # Screenshots depend on fonts: letters of most scripts, and emoji.
  fc_has "Noto Sans" || echo fonts-noto-core
  fc_has "Noto Color Emoji" || echo fonts-noto-color-emoji
  python3 -c 'import venv, ensurepip' 2>/dev/null || echo python3-venv
  has jq || echo jq
  /sbin/ldconfig -p 2>/dev/null | grep -F 'libcurl.so.4 ' >/dev/null || echo libcurl4
  has node || echo nodejs
  has npm || echo npm
  has dovecot || [ -x /usr/sbin/dovecot ] || echo dovecot-imapd
  has qpdf || echo qpdf
  has pdftotext || echo poppler-utils
  has php || echo php-cli
  php -m 2>/dev/null | grep -x mysqli >/dev/null || echo php-mysql
  php -m 2>/dev/null | grep -x gd >/dev/null || echo php-gd
  php -m 2>/dev/null | grep -x mbstring >/dev/null || echo php-mbstring
  php -m 2>/dev/null | grep -x curl >/dev/null || echo php-curl
  php -m 2>/dev/null | grep -x dom >/dev/null || echo php-xml
  php -m 2>/dev/null | grep -x intl >/dev/null || echo php-intl
  has mariadbd && has mariadb-install-db || echo mariadb-server mariadb-client
  [ -e /usr/share/php/getid3/getid3.php ] || echo php-getid3
  [ -e /usr/share/javascript/cropper ] || echo libjs-cropper
  [ -e /usr/share/javascript/underscore ] || echo libjs-underscore
}

fc_has() { has fc-list && fc-list 2>/dev/null | grep -F "$1" >/dev/null; }

install_packages() {
  local missing; missing=$(missing_packages "$1" | tr '\n' ' ')
  [ -n "${missing// /}" ] || return 0
  if ! has apt-get || ! as_root true; then
    echo "tests/run needs these Debian packages and may not install them: $missing" >&2
    return 1
  fi
  echo "installing: $missing"
  # Debian starts a database server when its package is installed; this answer keeps it down.
  local policy=/usr/sbin/policy-rc.d made=
  if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null && as_root chmod 755 $policy && made=1
  fi
  local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -y -qq -o DPkg::Lock::Timeout=600 --no-install-recommends)
  # shellcheck disable=SC2086
  as_root "${apt[@]}" install $missing >"$logs/apt.log" 2>&1 || {
    as_root apt-get -qq update >>"$logs/apt.log" 2>&1
    as_root "${apt[@]}" install $missing >>"$logs/apt.log" 2>&1
  }
  local ended=$?
  [ -z "$made" ] || as_root rm -f $policy
  [ $ended = 0 ] || { echo "apt-get failed:" >&2; tail -n 20 "$logs/apt.log" >&2; }
  return $ended
}

install_rust_parts() {
  if ! has cargo; then
    echo "Rust is missing: install it from rustup.rs (1.95 or later) and run this again" >&2
    return 1
  fi
  cargo fmt --version >/dev/null 2>&1 || rustup component add rustfmt || return 1
  cargo clippy --version >/dev/null 2>&1 || rustup component add clippy
}

# For the fuzz targets of the long tier: libFuzzer is C++.
install_fuzzer() {
  has c++ || as_root apt-get -y -qq install --no-install-recommends g++ >>"$logs/apt.log" 2>&1 || return 1
  cargo fuzz --version >/dev/null 2>&1 || cargo install cargo-fuzz --locked >"$logs/cargo-fuzz.log" 2>&1
}

install_browser_driver() {
  (
    cd tests/browser || exit 1
    { [ -e node_modules/playwright-core ] && [ -e node_modules/@axe-core/playwright ]; } ||
      npm ci --no-audit --no-fund --loglevel=error
  ) >"$logs/npm.log" 2>&1 || { tail -n 20 "$logs/npm.log" >&2; return 1; }
}

# An independent fuzzer of the interface for programs, pinned; MIT.
install_api_fuzzer() {
  local venv=${UPPSIKT_SCHEMATHESIS_VENV:-$target/schemathesis-venv}
  "$venv/bin/schemathesis" --version >/dev/null 2>&1 && return
  { python3 -m venv "$venv" && "$venv/bin/pip" install --quiet --disable-pip-version-check schemathesis==4.32.5; } \
    >"$logs/schemathesis.log" 2>&1 || { tail -n 20 "$logs/schemathesis.log" >&2; return 1; }
}
