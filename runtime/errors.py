"""Every error that brixia-edge raises on purpose.

::

    BrixiaEdgeError
    ├── UnreadableImage      the file cannot be read or decoded
    ├── UnsupportedImage     readable, but not a single-frame frontal chest radiograph
    ├── ImageTooLarge        declares more pixels than the limit allows
    ├── PredictionError      the network's numbers for an image are not finite
    ├── WeightsError         a Keras file that is not a BS-Net, or not a whole one
    ├── CalibrationError     calibration images or a table that cannot be used
    ├── AnnotationsError     radiologists' scores that cannot be used
    ├── OutputRefused        an output that exists, is an input, or is being written
    ├── ResumeError          an output that a run cannot go on with
    ├── BaselineError        a saved benchmark that cannot be read or compared with
    ├── BenchmarkError       what a benchmark measures with does not fit, or did not do its work
    └── CannotRun            nothing can be scored, whatever the file: the run stops
        ├── ConfigurationError       a configuration of the node that cannot be used
        ├── StateError               the node's database is none, or of a later version
        ├── BundleError              a bundle that is absent, incomplete, altered or not known
        ├── BackendUnavailable       no device, no library that loads, or the device was lost
        ├── EngineMismatch           an engine built for another TensorRT, GPU or bundle
        ├── EngineBuildError         an engine that cannot be built here, or not as asked
        ├── MissingExtra             a library that is not installed
        └── ReadingProcessUnavailable    the process that reads files does not start

The first ones are about what was given: of many files each costs itself alone. A message names
the element, its value and what is allowed, and says what to do. It never holds a patient's name,
identifier or dates.
"""


class BrixiaEdgeError(Exception):
    """Root of the tree; catch it to catch all that brixia-edge raises on purpose."""


class UnreadableImage(BrixiaEdgeError):
    """The file cannot be opened, parsed or decoded as an image."""


class UnsupportedImage(BrixiaEdgeError):
    """The file is readable but is not an image BS-Net may score.

    Examples: several frames, colour, FOR PROCESSING, another body part.
    """


class ImageTooLarge(BrixiaEdgeError):
    """The file declares more pixels than the limit allows; nothing was decoded."""


class PredictionError(BrixiaEdgeError):
    """The network gave numbers for an image that are not finite, so there is no score."""


class WeightsError(BrixiaEdgeError):
    """The Keras file does not hold the weights of a whole BS-Net."""


class CalibrationError(BrixiaEdgeError):
    """The calibration images or the calibration table cannot be used."""


class AnnotationsError(BrixiaEdgeError):
    """The annotations cannot be used, or none is of an image at hand."""


class OutputRefused(BrixiaEdgeError):
    """The output may not be written: it exists, is an input, or another run is writing it."""


class ResumeError(BrixiaEdgeError):
    """The output that a run is to go on with is none, or of another model."""


class BaselineError(BrixiaEdgeError):
    """The saved benchmark cannot be read, or is of another machine, bundle or setting."""


class BenchmarkError(BrixiaEdgeError):
    """What a benchmark is to measure with does not fit together, or did not do its work."""


class CannotRun(BrixiaEdgeError):
    """Nothing can be scored here, whatever the file, until somebody acts.

    What scores many files stops at one of these instead of failing file by file.
    """


class BundleError(CannotRun):
    """The bundle is absent, incomplete, altered, or of a schema this version does not know."""


class BackendUnavailable(CannotRun):
    """The backend is installed but cannot run here, or has stopped to: its device was lost."""


class EngineMismatch(CannotRun):
    """The engine was built for another TensorRT version, GPU or bundle."""


class EngineBuildError(CannotRun):
    """The engine cannot be built here, or not with the options that were given."""


class MissingExtra(CannotRun):
    """A library that this needs is not installed; the message has the line that installs it."""

    @classmethod
    def of(cls, what: str, library: str, install: str) -> "MissingExtra":
        """Make the message.

        Parameters
        ----------
        what
            What was asked for.
        library
            What it needs.
        install
            The line that installs it: of `pip_line` for an extra of this package.
        """
        return cls(f"{what} needs {library}, which is not installed; install it: {install}")


class ReadingProcessUnavailable(CannotRun):
    """The process that reads files does not start."""


class ConfigurationError(CannotRun):
    """The node's configuration cannot be read, or holds what is not allowed."""


class StateError(CannotRun):
    """The node's database cannot be used: damaged, of a later version, or of another program."""


def pip_line(extra: str) -> str:
    """The line that installs an extra of this package."""
    return f"pip install 'brixia-edge[{extra}]'"
