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
print("sealed", flush=True)
"""

_RUN = """
from preddiff.cli import app

for command in eval(sys.argv[1]):
    app(command, standalone_mode=False)
print("done")
"""


def run_sealed(commands, home, code=_RUN):
    """Run commands in one process without network; skip where this kernel cannot be told so."""
    if not sys.platform.startswith("linux"):
        pytest.skip("the network is sealed off by Linux' seccomp")
    # onnxruntime says nothing on what it takes for a build server, and these names would hide it.
    hidden = {"CI", "GITHUB_ACTIONS", "TF_BUILD", "ORT_DISABLE_TELEMETRY", "ORT_TELEMETRY_DISABLED"}
    kept = {name: value for name, value in os.environ.items() if name not in hidden}
    home.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-c", _SEAL + code, repr([list(map(str, each)) for each in commands])],
        capture_output=True,
        text=True,
        check=False,
        env=kept | {"HOME": str(home), "XDG_CACHE_HOME": str(home / ".cache")},
    )
    if "sealed" not in done.stdout:
        pytest.skip(f"no seccomp on this machine: {done.stderr[-200:]}")
    return done
