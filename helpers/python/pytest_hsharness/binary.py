"""Where the program hsharness is: HSHARNESS_BIN, this package, PATH."""

import os
import shutil
import subprocess
import sys

from .error import HsharnessError

_NAME = "hsharness.exe" if os.name == "nt" else "hsharness"


def find(environ, folder=""):
    """The path of the program. What HSHARNESS_BIN says is relative to the folder."""
    named = environ.get("HSHARNESS_BIN")
    if named:
        path = os.path.abspath(os.path.join(folder, named))
        if not _runs(path):
            raise HsharnessError(
                "HSHARNESS_BIN is %s, where no program is: correct it, or unset it to have the program looked for" % named
            )
        return path
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bin", _NAME)
    if _runs(path):
        return path
    path = shutil.which(_NAME, path=environ.get("PATH", ""))
    if path:
        return os.path.abspath(path)
    raise HsharnessError(
        "the program hsharness was not found: HSHARNESS_BIN is not set, this installation of pytest-hsharness"
        " brings none for this system, and PATH has none\n"
        "  get it: go install ./cmd/hsharness in a clone of hsharness, or set HSHARNESS_BIN to where it is"
    )


def _runs(path):
    return os.path.isfile(path) and os.access(path, os.X_OK)


def main():
    """The command hsharness, where a wheel brings the program."""
    try:
        path = find(os.environ)
    except HsharnessError as error:
        sys.exit(str(error))
    if os.name == "nt":
        sys.exit(subprocess.call([path] + sys.argv[1:]))
    os.execv(path, [path] + sys.argv[1:])
