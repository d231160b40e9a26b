"""Every error that Segue raises on purpose, in one tree.

::

    SegueError
    ├── ParameterError        an option or a parameter is out of its range
    ├── DataError             listening data cannot be read or makes no sense
    │   └── DownloadError     a data set could not be fetched or is not the one expected
    ├── ModelError            a model is missing, damaged, or of a newer format
    ├── SettingsError         an environment variable or a line of ``.env`` is wrong
    └── FeedbackError         the feedback database cannot be used

The text of each is one sentence for the person at the keyboard: what, where, which value, what to do.
"""


class SegueError(Exception):
    """An error with a sentence for the person who can do something about it."""


class ParameterError(SegueError):
    """An option or a parameter is out of its range."""


class DataError(SegueError):
    """Listening data cannot be read or makes no sense."""


class DownloadError(DataError):
    """A data set could not be fetched or is not the one expected."""


class ModelError(SegueError):
    """A model is missing, damaged, or of a newer format."""


class SettingsError(SegueError):
    """An environment variable or a line of ``.env`` is wrong."""


class FeedbackError(SegueError):
    """The feedback database cannot be used."""
