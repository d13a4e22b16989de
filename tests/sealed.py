"""Runs commands where the kernel kills whoever opens an internet socket, in a home of its own."""

import os
import subprocess
import sys

import pytest

# A classic BPF program over struct seccomp_data (linux/seccomp.h): the number of the call is at
# offset 0, the low half of the first argument, the address family, at 16. Python's own sockets and
# those of any library in C++ end alike: SIGSYS for AF_INET (2) and AF_INET6 (10).
_SEAL = """
import ctypes, platform, socket, struct, sys

socket.has_ipv6 = False  # else urllib3, when imported, tries to bind one to this machine
SOCKET = {"x86_64": 41, "aarch64": 198}[platform.machine()]
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06  # BPF_LD|W|ABS, BPF_JMP|JEQ|K, BPF_RET|K
ALLOW, KILL = 0x7FFF0000, 0x80000000
code = [(LOAD, 0, 0, 0), (EQUAL, 0, 3, SOCKET), (LOAD, 0, 0, 16), (EQUAL, 2, 0, 2),
        (EQUAL, 1, 0, 10), (RETURN, 0, 0, ALLOW), (RETURN, 0, 0, KILL)]
filters = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in code))
program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(code), ctypes.addressof(filters)))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0  # PR_SET_NO_NEW_PRIVS
assert libc.prctl(22, 2, program, 0, 0) == 0  # PR_SET_SECCOMP, SECCOMP_MODE_FILTER
"""

# The permissions of files do not bind root, which tests may run as. Without capabilities
# (linux/capability.h, version 3: a header, and two sets of three words) they do.
_BOUND = """
import ctypes, struct

header = struct.pack("Ii", 0x20080522, 0)
assert ctypes.CDLL(None, use_errno=True).capset(header, struct.pack("6I", *[0] * 6)) == 0
"""

RUN = """
import sys
from preddiff.cli import app

print("ready", flush=True)
for command in eval(sys.argv[1]):
    print(command, file=sys.stderr)
    app(command, standalone_mode=False)
print("done")
"""

# onnxruntime says nothing on what it takes for a build server, and these names would hide it.
_BUILD_SERVERS = {
    "CI", "GITHUB_ACTIONS", "TF_BUILD", "ORT_DISABLE_TELEMETRY", "ORT_TELEMETRY_DISABLED",
}  # fmt: skip
# Places that libraries would rather write to than the home.
_CACHES = {"XDG_CACHE_HOME", "XDG_CONFIG_HOME", "TORCH_HOME", "HF_HOME", "MPLCONFIGDIR",
           "NUMBA_CACHE_DIR"}  # fmt: skip


def run_sealed(commands, home, code=RUN):
    """Run commands in one process without network; skip where this kernel cannot be told so."""
    home.mkdir(exist_ok=True)
    return run(_SEAL + code, commands, home, {"XDG_CACHE_HOME": str(home / ".cache")})


def run_sealed_in_a_read_only_home(commands, home, code=RUN):
    """Run commands without network, and where nothing can be written in the home or elsewhere."""
    home.mkdir()
    home.chmod(0o500)
    return run(_BOUND + _SEAL + code, commands, home, {})


def run(code, commands, home, places):
    if not sys.platform.startswith("linux"):
        pytest.skip("needs seccomp and capabilities, which are Linux' own")
    kept = {n: v for n, v in os.environ.items() if n not in _BUILD_SERVERS | _CACHES}
    done = subprocess.run(
        [sys.executable, "-c", code, repr([list(map(str, each)) for each in commands])],
        capture_output=True,
        text=True,
        check=False,
        env=kept | {"HOME": str(home)} | places,
    )
    if "AssertionError" in done.stderr and "ready" not in done.stdout:
        pytest.skip(f"no seccomp or capabilities on this machine: {done.stderr[-200:]}")
    return done
