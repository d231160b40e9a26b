"""The ``segue`` command from its first moment: ``python -m bot`` and the installed script start here."""

import os
import sys

EXIT_INTERRUPTED = 130


def main() -> None:
    """Import the commands and run them; Ctrl-C in the second that importing takes is no traceback."""
    try:
        from bot.cli import main as run

        run()
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; nothing was begun\n")
        sys.stderr.flush()
        os._exit(EXIT_INTERRUPTED)  # half-imported libraries may fail once more on their way out


if __name__ == "__main__":
    main()
