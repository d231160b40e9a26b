"""``python -m bot`` is the ``segue`` command."""

from bot.cli import main

main()
