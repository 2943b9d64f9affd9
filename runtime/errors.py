"""Every error that brixia-edge raises on purpose.

::

    BrixiaEdgeError
    ├── UnreadableImage      the file cannot be read or decoded
    ├── UnsupportedImage     readable, but not a single-frame frontal chest radiograph
    ├── ImageTooLarge        declares more pixels than the limit allows
    ├── WeightsError         a Keras file that is not a BS-Net, or not a whole one
    ├── BundleError          a bundle that is absent, incomplete, altered or of another schema
    ├── BackendUnavailable   the backend is not installed or finds no device
    ├── EngineMismatch       an engine built for another TensorRT, GPU or bundle
    ├── CalibrationError     calibration images or a table that cannot be used
    ├── AnnotationsError     radiologists' scores that cannot be used
    ├── OutputRefused        an output that exists, is an input, or is being written
    ├── ResumeError          an output that a run cannot go on with
    ├── BaselineError        a saved benchmark that cannot be read or compared with
    └── BenchmarkError       what a benchmark measures with does not fit, or did not do its work

A message names the element, its value and what is allowed, and says what to
do. It never holds a patient's name, identifier or dates.
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


class WeightsError(BrixiaEdgeError):
    """The Keras file does not hold the weights of a whole BS-Net."""


class BundleError(BrixiaEdgeError):
    """The bundle is absent, incomplete, altered, or of a schema this version does not know."""


class BackendUnavailable(BrixiaEdgeError):
    """The backend cannot run here; the message says what to install."""


class EngineMismatch(BrixiaEdgeError):
    """The engine was built for another TensorRT version, GPU or bundle."""


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
