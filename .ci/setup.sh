# The part that quickstart.sh and check.sh share; sourced, not run.
#
#   rasp_setup            installs what is missing, configures build/
#   rasp_build TARGET...  builds, quietly where no terminal looks on
#
# `root` is the project's folder, `build` the build folder.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$root/build

# Debian's own cmake, ninja and python3 come first: other installations that
# stand earlier in PATH may be older, or wrappers that run nothing.
export PATH="/usr/bin:/bin:$PATH"

packages=(
  g++ cmake ninja-build
  llvm-19-dev llvm-19-tools zlib1g-dev libzstd-dev
  antlr4 libantlr4-runtime-dev
  libeigen3-dev libhdf5-dev libedit-dev
  libzip-dev libonnx-dev libprotobuf-dev
  googletest libbenchmark-dev
  python3 python3-h5py python3-numpy python3-venv
)

# What test/fuzz needs beside them.
fuzz_packages=(clang-19 libclang-rt-19-dev)

fail() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 2
}

# Prints the packages of the list that are not installed.
rasp_missing_packages() {
  local package
  for package in "${packages[@]}"; do
    dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null |
      grep -qx installed || printf '%s\n' "$package"
  done
}

rasp_install_packages() {
  command -v dpkg-query >/dev/null || return 0 # not Debian: cmake will tell
  local missing as_root=()
  mapfile -t missing < <(rasp_missing_packages)
  if [[ ${#missing[@]} -eq 0 ]]; then
    return 0
  fi
  echo "Installing: ${missing[*]}"
  if [[ $EUID -ne 0 ]]; then
    command -v sudo >/dev/null ||
      fail "please install as root: apt-get install ${missing[*]}"
    as_root=(sudo)
  fi
  local log
  log=$(mktemp)
  if ! {
    "${as_root[@]}" apt-get update -q &&
      "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -q --no-install-recommends "${missing[@]}"
  } >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    fail "installing the packages failed; the messages stand above"
  fi
  rm -f "$log"
}

rasp_configure() {
  local fresh=() log=$build/configure.log
  # A build folder that was copied or moved with the project is of no use.
  if [[ -f $build/CMakeCache.txt ]] &&
     ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$build/CMakeCache.txt"
  then
    fresh=(--fresh)
  fi
  mkdir -p "$build"
  if ! (cd "$root" &&
        flock "$build/.lock" cmake "${fresh[@]}" --preset release) >"$log" 2>&1
  then
    cat "$log" >&2
    fail "configuring failed; the messages stand above"
  fi
}

rasp_setup() {
  rasp_install_packages
  rasp_configure
}

rasp_build() {
  local start=$SECONDS log=$build/build.log
  # Two builds at once in one folder would spoil each other's files.
  local ninja=(flock "$build/.lock" ninja -C "$build" -j "$(nproc)" "$@")
  if [[ -t 1 ]]; then
    # Ninja keeps its progress on one line of a terminal.
    NINJA_STATUS='Building [%f/%t] ' "${ninja[@]}" ||
      fail "building failed; the messages stand above"
  elif ! "${ninja[@]}" >"$log" 2>&1; then
    if grep -q '^FAILED' "$log"; then
      sed -n '/^FAILED/,$p' "$log" >&2
    else
      cat "$log" >&2
    fi
    fail "building failed; the messages stand above"
  fi
  echo "Built in $((SECONDS - start)) s."
}
