"""onnxruntime, imported only here: with its telemetry switched off first."""

import os
from types import ModuleType

# Since 1.29 onnxruntime connects to a host of its maker and keeps a device id in the user's cache
# (microsoft/onnxruntime#27379). It asks its environment once, when it is imported; the second name
# is that of an earlier proposal (#29843).
_OPT_OUT = ("ORT_DISABLE_TELEMETRY", "ORT_TELEMETRY_DISABLED")
_FATAL = 4  # all that it prints: errors are raised as well, and it copes with what it warns of


def runtime() -> ModuleType:
    """Return the module onnxruntime, which sends nothing and keeps no identifier.

    Raises
    ------
    ImportError
        If it is not installed.
    """
    os.environ.update(dict.fromkeys(_OPT_OUT, "1"))
    import onnxruntime

    onnxruntime.disable_telemetry_events()  # also where someone imported it before us
    onnxruntime.set_default_logger_severity(_FATAL)
    return onnxruntime  # type: ignore[no-any-return]
