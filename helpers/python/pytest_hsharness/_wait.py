"""The command behind the guard that a pytest process starts by itself.

It says where the guard is, and ends when pytest does, however that ends: what it reads
comes from there. It must not import anything of this package: it runs without it.
"""

import json
import os
import select
import sys

_LOOK = 0.5  # seconds


def main():
    runner, guard = int(sys.argv[1]), os.getppid()
    variables = {name: value for name, value in os.environ.items() if name.startswith("HSHARNESS_") or name.upper() == "NO_PROXY"}
    sys.stderr.write("ready " + json.dumps(variables) + "\n")
    sys.stderr.flush()
    said = b""
    while True:
        if os.name == "nt" or select.select([0], [], [], _LOOK)[0]:
            part = os.read(0, 512)
            if not part:
                break
            said += part
        elif os.getppid() != guard:
            return  # who reads this finds out that the guard was killed
        elif not _alive(runner):
            break  # and something that it left behind holds the other end
    if said != b"end":
        why = said.decode() or "pytest, process %d, is gone without having ended its tests" % runner
        sys.stdout.write("\nhsharness: %s; the guard that it started ends too\n" % why)


def _alive(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


if __name__ == "__main__":
    try:
        main()
    except (OSError, KeyboardInterrupt):
        pass  # who started it is gone
    try:
        sys.stdout.flush()
    except OSError:
        os._exit(0)
