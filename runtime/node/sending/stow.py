"""Delivery by STOW-RS (PS3.18 10.5)."""

from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset

from ...errors import ConfigurationError, MissingExtra, pip_line
from ..configuration import DestinationSection
from ..receiving.spool import Spool
from ..state.rows import Delivery
from .outcome import DELIVERED, Outcome, of_status, permanent, transient

try:
    _client: Any = import_module("dicomweb_client.api")
    _requests: Any = import_module("requests")
except ModuleNotFoundError as error:
    raise MissingExtra.of("STOW-RS", "dicomweb-client", pip_line("node")) from error

dcmread: Any = import_module("pydicom").dcmread  # its types are not whole

_ACCEPT = {"Accept": "application/dicom+json"}
_LATER = (408, 425, 429)
"""HTTP statuses below 500 that pass by themselves."""


class StowTransport:
    """Sends answers to one DICOMweb service.

    Parameters
    ----------
    destination
        The service.

    Raises
    ------
    ConfigurationError
        The token cannot be read.
    """

    def __init__(self, destination: DestinationSection) -> None:
        self._destination = destination
        self._headers = _authorisation(destination.token_file)

    def send(self, deliveries: Sequence[Delivery], folder: Spool) -> Mapping[int, Outcome]:
        """Try to deliver; what came of each, by its number."""
        return {delivery.id: self._store(delivery, folder) for delivery in deliveries}

    def prepare(self) -> None:
        """Nothing is opened beforehand: a request is soon made."""

    def rest(self) -> None:
        """Nothing stays open."""

    def end(self) -> None:
        """Nothing stays open."""

    def echo(self) -> str:
        """Ask whether the service is there; empty if it is, else why not."""
        try:
            with self._session() as session:
                status = session.get(
                    f"{self._destination.url.rstrip('/')}/studies?limit=1", headers=self._headers
                ).status_code
        except _requests.RequestException as error:
            return f"it cannot be reached ({type(error).__name__})"
        return "" if status < 400 else f"it answers {status}"

    def _store(self, delivery: Delivery, folder: Spool) -> Outcome:
        try:
            dataset = dcmread(folder.path(delivery.file))
        except OSError as error:
            return permanent(f"the answer's file cannot be read: {error.strerror}")
        except Exception as error:
            return permanent(f"the answer's file cannot be read ({type(error).__name__})")
        try:
            return _judged(self._post(dataset), delivery.sop_instance_uid)
        except _requests.HTTPError as error:
            return _of_http(error)
        except Exception as error:
            return _of_fault(error)

    def _post(self, dataset: Dataset) -> Dataset:
        """Send an object, once; when to try again is the outbox's to say."""
        with self._session() as session:
            client = _client.DICOMwebClient(
                self._destination.url, session=session, headers={**_ACCEPT, **self._headers}
            )
            client.set_http_retry_params(retry=False)
            session.hooks["response"] = [_without_parameters]
            return client.store_instances([dataset])

    def _session(self) -> Any:
        session = _requests.Session()
        adapter = _patient(_requests.adapters.HTTPAdapter(), self._destination.timeout)
        for scheme in ("http://", "https://"):
            session.mount(scheme, adapter)
        return session


def _patient(adapter: Any, seconds: float) -> Any:
    """Give every request of an adapter a timeout; without one, requests waits for ever."""
    send = adapter.send

    def patient(request: Any, **how: Any) -> Any:
        return send(request, **{**how, "timeout": how.get("timeout") or seconds})

    adapter.send = patient
    return adapter


def _without_parameters(response: Any, **_: Any) -> None:
    """Leave the media type alone of a Content-Type: dicomweb-client knows no ``; charset=``."""
    kind = response.headers.get("Content-Type", "")
    response.headers["Content-Type"] = kind.partition(";")[0].strip().lower()


def _judged(response: Dataset, uid: str) -> Outcome:
    """Read the response's own lists: a 202 may hide that an object was refused.

    An object that neither list names may have met a proxy's page and no archive at all.
    """
    failed = list(_failures(response))
    if failed:
        outcome = of_status(failed[0])
        return outcome if outcome is not DELIVERED else permanent("the service refused the answer")
    stored = response.get("ReferencedSOPSequence") or ()
    if uid in [item.get("ReferencedSOPInstanceUID") for item in stored]:
        return DELIVERED
    return transient("the service does not say that it stored the answer")


def _failures(response: Dataset) -> Iterator[int]:
    for name in ("FailedSOPSequence", "OtherFailuresSequence"):
        for item in response.get(name) or ():
            yield int(item.get("FailureReason") or 0xC000)


def _of_http(error: Any) -> Outcome:
    status = getattr(error.response, "status_code", 0) or 0
    told = f"the service answered {status}"
    return transient(told) if status >= 500 or status in _LATER else permanent(told)


def _of_fault(error: Exception) -> Outcome:
    """Whatever else goes wrong passes, for all we know: what is not judged is sent for ever."""
    if isinstance(error, _requests.ConnectionError | _requests.Timeout):
        return transient(f"the service cannot be reached ({type(error).__name__})")
    return transient(f"the service did not confirm the answer ({type(error).__name__})")


def _authorisation(token_file: Path | None) -> dict[str, str]:
    if token_file is None:
        return {}
    try:
        token = token_file.read_text(encoding="ascii").strip()
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{token_file} cannot be read as a token: {error}") from error
    return {"Authorization": f"Bearer {token}"}
