"""Speak DIMSE with a PACS: C-FIND to search, C-GET or C-MOVE to retrieve, C-STORE to store (PS3.4, PS3.7)."""

import socket
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from queue import SimpleQueue
from typing import Any

from pydicom import Dataset
from pydicom.multival import MultiValue
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)
from pynetdicom import AE, Association, StoragePresentationContexts, build_context, build_role, evt
from pynetdicom.presentation import PresentationContext
from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelFind as Find
from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelGet as Get
from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelMove as Move

from lucency.data.dicom.pacs.address import Address
from lucency.data.dicom.pacs.archive import Answer, Instance, Keep, Level, PassingFault, RefusedInstance
from lucency.domain.data_plan import Pacs
from lucency.errors import PlanError, SourceError

Contexts = list[PresentationContext]
Arrived = Iterator[tuple[Instance, str]]

SUCCESS, OUT_OF_RESOURCES, NOT_ASKED, CANNOT_UNDERSTAND = 0x0000, 0xA700, 0xA900, 0xC000
"""Answers to a C-STORE request (PS3.4, table B.2-1)."""
_PENDING = (0xFF00, 0xFF01)
_WARNING = 0xB000
"""First digit of all warnings: done, but not all of it, or not quite as asked."""
_UNKNOWN_DESTINATION = 0xA801
_REFUSED = {0x0122, 0x0124, 0xA900}
"""Not supported, not authorised, not understood: asking again would not help (PS3.7, annex C)."""
_CALLING_UNKNOWN, _CALLED_UNKNOWN, _REJECTED_FOR_NOW = 3, 7, 2
"""Reasons and result of a rejected association (PS3.8, table 9-21)."""

ENCODINGS = [
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGLosslessSV1,
    JPEGLossless,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEG2000,
    JPEGLSNearLossless,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    HTJ2K,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
]
"""Transfer syntaxes in which images may come; each is offered on its own, so that the PACS need not convert any."""
_MOST_CONTEXTS = 128 - 1
"""What one association may negotiate, less the one for the request itself."""
_MOST_UIDS = 500
"""UIDs in one request; 65,534 bytes of them fit into a value."""
_LARGEST_PDU = 2**17
"""Bytes in one packet; the usual 16 kB cost time in Python."""


class Dimse:
    """A PACS that speaks DIMSE."""

    def __init__(self, address: Address, settings: Pacs) -> None:
        self._address, self._settings = address, settings

    def search(self, level: Level, match: Mapping[str, str], tell: Sequence[str]) -> list[Answer]:
        """Ask with one C-FIND, over an association of its own."""
        question = _identifier(level, dict.fromkeys(tell, "") | dict(match))
        answers = []
        received = _Count()
        with self._association([build_context(Find)], handlers=[(evt.EVT_DIMSE_RECV, received)]) as association:
            for status, answer in association.send_c_find(question, Find):
                if _code(self._address, status) in _PENDING and answer is not None:
                    answers.append(_as_answer(answer))
        if received.n != len(answers) + 1:  # the last message says that there are no more
            raise PassingFault(
                f"{self._address.host}:{self._address.port} answered, but an answer was lost. Run the same command again."
            )
        return answers

    def retrieve(self, wanted: Sequence[Instance], keep: Keep) -> Iterator[tuple[Instance, str]]:
        """Fetch series by series, each over an association of its own."""
        arrivals = _Arrivals(keep)
        is_move = self._settings.retrieve == "move"
        with self._receiver(wanted, arrivals) if is_move else nullcontext():
            for series in _by_series(wanted):
                arrivals.expect(series)
                for request in _requests(series):
                    yield from self._move(request, arrivals) if is_move else self._get(request, series, arrivals)

    def store(self, dataset: Dataset) -> bool:
        """Send a dataset, as it is encoded; tell whether the PACS has taken it."""
        meta = dataset.file_meta
        contexts = [build_context(meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID)]
        with self._association(contexts) as association:
            code = _code(self._address, association.send_c_store(dataset))
        return code == SUCCESS or code & 0xF000 == _WARNING

    def close(self) -> None:
        """Do nothing: each association is released when its work is done."""

    def _get(self, request: Dataset, series: list[Instance], arrivals: "_Arrivals") -> Arrived:
        contexts = _storage_contexts(series)
        roles = [build_role(name, scp_role=True) for name in {context.abstract_syntax for context in contexts}]
        handlers = [(evt.EVT_C_STORE, arrivals.take)]
        with self._association([build_context(Get), *contexts], roles, handlers) as association:
            yield from self._wait_for(request, association.send_c_get(request, Get), arrivals)

    def _move(self, request: Dataset, arrivals: "_Arrivals") -> Arrived:
        with self._association([build_context(Move)]) as association:
            answers = association.send_c_move(request, self._settings.calling_ae_title, Move)
            yield from self._wait_for(request, answers, arrivals)

    def _wait_for(self, request: Dataset, answers: Iterator[tuple[Dataset, Any]], arrivals: "_Arrivals") -> Arrived:
        for status, _ in answers:
            yield from arrivals.news()
            # asked for the rest of a series, a PACS that has it no more may fail; that shows in what is missing
            if request.QueryRetrieveLevel == "SERIES" or "Status" not in status:
                _code(self._address, status)
        yield from arrivals.news()

    @contextmanager
    def _association(
        self, contexts: Contexts, roles: Sequence[Any] = (), handlers: Sequence[Any] = ()
    ) -> Iterator[Association]:
        """Open an association, and release it, or break it off when something went wrong."""
        association = self._open(contexts, roles, handlers)
        try:
            yield association
        except BaseException:
            association.abort()
            raise
        association.release()

    def _open(self, contexts: Contexts, roles: Sequence[Any] = (), handlers: Sequence[Any] = ()) -> Association:
        """Open an association for the first of the contexts; the others need not be accepted."""
        address = self._address
        try:
            association = self._entity().associate(
                address.host,
                address.port,
                contexts=contexts,
                ae_title=address.ae_title,
                max_pdu=_LARGEST_PDU,
                ext_neg=list(roles),
                evt_handlers=[*_PROMPT, *handlers],
            )
        except OSError:  # the host's name is unknown
            raise PassingFault(_unreachable(address)) from None
        if not association.is_established:
            raise self._not_established(association)
        if contexts[0].abstract_syntax not in {accepted.abstract_syntax for accepted in association.accepted_contexts}:
            association.abort()
            raise _not_offered(address, contexts[0].abstract_syntax)
        return association

    @contextmanager
    def _receiver(self, wanted: Sequence[Instance], arrivals: "_Arrivals") -> Iterator[None]:
        """Listen for what the PACS sends after a C-MOVE, to the PACS alone and only as long as it lasts."""
        entity, address, port = self._entity(), self._address, self._settings.receiver_port
        entity.require_called_aet = True
        entity.require_calling_aet = [address.ae_title]
        handlers = [*_PROMPT, (evt.EVT_C_STORE, arrivals.take)]
        try:
            here = (_own_host(address), port)
            server = entity.start_server(here, block=False, evt_handlers=handlers, contexts=_accepted_contexts(wanted))
        except OSError:
            raise PlanError(
                f"Port {port} of this computer is taken or not allowed. Set another `data.pacs.receiver_port`, and let the "
                "PACS administrator enter it."
            ) from None
        try:
            yield
        finally:
            server.shutdown()

    def _entity(self) -> AE:
        entity = AE(self._settings.calling_ae_title)
        entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = self._settings.timeout_seconds
        entity.connection_timeout = self._settings.timeout_seconds
        return entity

    def _not_established(self, association: Association) -> Exception:
        """Say why there is no association."""
        server, here = f"{self._address.host}:{self._address.port}", self._settings.calling_ae_title
        answer = association.acceptor.primitive
        if not association.is_rejected or answer is None:
            return PassingFault(_unreachable(self._address))
        if answer.result == _REJECTED_FOR_NOW:
            return PassingFault(f"{server} is too busy for a connection. Ask the PACS administrator.")
        if answer.diagnostic == _CALLED_UNKNOWN:
            return SourceError(
                f"{server} does not go by the AE title {self._address.ae_title}. Correct it in `data.images`; capital "
                "letters count."
            )
        if answer.diagnostic == _CALLING_UNKNOWN:
            return SourceError(
                f"{server} does not know the AE title {here}. Ask the PACS administrator to enter it with this computer's "
                "address, or set `data.pacs.calling_ae_title`."
            )
        return SourceError(f"{server} refuses the connection. Ask the PACS administrator about the AE title {here}.")


class _Count:
    """Counts messages as they come in.

    pynetdicom 3.0 can lose an answer: the thread that serves requests takes it for one (its `_is_paused` is set before it
    waits), and more often so where an association is used again at once.
    """

    def __init__(self) -> None:
        self.n = 0

    def __call__(self, _: evt.Event) -> None:
        self.n += 1


class _Arrivals:
    """What the PACS sends: keeps each instance that was asked for, and tells whoever waits for it."""

    def __init__(self, keep: Keep) -> None:
        self._keep = keep
        self._expected: dict[str, Instance] = {}
        self._news: SimpleQueue[tuple[Instance, str]] = SimpleQueue()
        self._fault: Exception | None = None

    def expect(self, series: list[Instance]) -> None:
        """Take the instances of one series from now on, and no others."""
        self._expected = {instance.uid: instance for instance in series}

    def take(self, event: evt.Event) -> int:
        """Answer a C-STORE request; its identifiers never become a path."""
        instance = self._expected.get(str(event.request.AffectedSOPInstanceUID))
        if instance is None:
            return NOT_ASKED
        try:
            self._keep(instance, [event.encoded_dataset()])
        except RefusedInstance as refusal:
            self._news.put((instance, refusal.reason))
            return CANNOT_UNDERSTAND
        except Exception as fault:  # pynetdicom would swallow it; whoever waits shall meet it
            self._fault = fault
            return OUT_OF_RESOURCES
        self._news.put((instance, ""))
        return SUCCESS

    def news(self) -> Arrived:
        """Yield what has come since the last time, with the reason where it was refused."""
        while not self._news.empty():
            yield self._news.get()
        if self._fault:
            raise self._fault


def _send_at_once(event: evt.Event) -> None:
    """Let no small packet wait for the answer to the one before."""
    event.assoc.dul.socket.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _acknowledge_at_once(event: evt.Event) -> None:
    """Let the PACS not wait before it sends the next small packet; the system forgets this whenever something is sent."""
    if _QUICK_ACKNOWLEDGEMENT is not None and event.assoc.dul.socket:
        event.assoc.dul.socket.socket.setsockopt(socket.IPPROTO_TCP, _QUICK_ACKNOWLEDGEMENT, 1)


_QUICK_ACKNOWLEDGEMENT = getattr(socket, "TCP_QUICKACK", None)  # Linux alone has it
_PROMPT = [(evt.EVT_CONN_OPEN, _send_at_once), (evt.EVT_DATA_SENT, _acknowledge_at_once)]
"""Without these, each message takes 40 ms more: Nagle's algorithm here or there waits for a delayed acknowledgement."""


def _requests(series: list[Instance]) -> Iterator[Dataset]:
    """Ask for a whole series as one, which every PACS understands, or for those of its instances that are missing."""
    match = {"StudyInstanceUID": series[0].exam, "SeriesInstanceUID": series[0].series}
    if len(series) == series[0].n_in_series:
        yield _identifier("SERIES", match)
        return
    uids = [instance.uid for instance in series]
    for first in range(0, len(uids), _MOST_UIDS):
        yield _identifier("IMAGE", match | {"SOPInstanceUID": "\\".join(uids[first : first + _MOST_UIDS])})


def _by_series(instances: Iterable[Instance]) -> list[list[Instance]]:
    series: defaultdict[str, list[Instance]] = defaultdict(list)
    for instance in instances:
        series[instance.series].append(instance)
    return list(series.values())


def _storage_contexts(series: list[Instance]) -> Contexts:
    """Offer to receive the kinds of objects in a series, each in every encoding, as far as an association can negotiate."""
    known = sorted({instance.sop_class for instance in series})
    if not all(known):  # the PACS did not tell: offer all images and documents, and leave the encoding to it
        return [build_context(c.abstract_syntax, ENCODINGS) for c in StoragePresentationContexts[:_MOST_CONTEXTS]]
    encodings = ENCODINGS[: max(1, _MOST_CONTEXTS // len(known))]
    return [build_context(name, encoding) for name in known[:_MOST_CONTEXTS] for encoding in encodings]


def _accepted_contexts(wanted: Sequence[Instance]) -> Contexts:
    """Accept all images and documents, and what else the PACS says that it holds, in every encoding."""
    known = {context.abstract_syntax for context in StoragePresentationContexts}
    return [build_context(name, ENCODINGS) for name in sorted(known | {i.sop_class for i in wanted} - {""})]


def _identifier(level: Level, elements: Mapping[str, str]) -> Dataset:
    identifier = Dataset()
    identifier.QueryRetrieveLevel = level
    for keyword, value in elements.items():
        setattr(identifier, keyword, value)
    if not all(value.isascii() for value in elements.values()):
        identifier.SpecificCharacterSet = "ISO_IR 192"
    return identifier


def _as_answer(dataset: Dataset) -> Answer:
    """Read the values of an answer as texts."""
    answer = {}
    for element in dataset:
        values = element.value if isinstance(element.value, MultiValue) else [element.value]
        answer[element.keyword] = "\\".join("" if value is None else str(value) for value in values)
    return answer


def _code(address: Address, status: Dataset) -> int:
    """Return the status of an answer when it is good or half good.

    Raises:
        PassingFault: the connection broke off, or the PACS is not able to just now.
        SourceError: asking again would not help.
    """
    server = f"{address.host}:{address.port}"
    if "Status" not in status:
        raise PassingFault(
            f"{server} broke the connection off. If it always does, it may not know the AE title "
            "`data.pacs.calling_ae_title`: ask the PACS administrator to enter it with this computer's address."
        )
    code = int(status.Status)
    if code == SUCCESS or code in _PENDING or code & 0xF000 == _WARNING:
        return code
    if code == _UNKNOWN_DESTINATION:
        raise SourceError(
            f"{server} does not know where to send images to. Ask the PACS administrator to enter the AE title "
            "`data.pacs.calling_ae_title` with this computer's address and `data.pacs.receiver_port`."
        )
    if code in _REFUSED:
        raise SourceError(
            f"{server} refuses the request (status {code:04X}). Ask the PACS administrator what the AE title "
            "`data.pacs.calling_ae_title` may do."
        )
    raise PassingFault(
        f"{server} is not able to answer the request (status {code:04X}). Ask the PACS administrator; with `retrieve: move` it "
        "must know this computer's address, AE title and port."
    )


def _unreachable(address: Address) -> str:
    return (
        f"{address.host}:{address.port} cannot be reached by DICOM. Check host and port in `data.images`, and whether the PACS "
        "runs and this computer may reach it."
    )


def _not_offered(address: Address, service: str) -> SourceError:
    words = {Find: "searching (C-FIND)", Get: "C-GET", Move: "C-MOVE"}.get(service, "storing objects of this kind")
    advice = {Get: "Set `data.pacs.retrieve: move`.", Move: "Set `data.pacs.retrieve: get`."}
    return SourceError(
        f"{address.ae_title} at {address.host}:{address.port} does not offer {words}. "
        f"{advice.get(service, 'Ask the PACS administrator for the right address.')}"
    )


def _own_host(address: Address) -> str:
    """Return the address of this computer by which the PACS is reached; connecting a UDP socket sends nothing."""
    family, kind, protocol, _, peer = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.connect(peer)
        return str(probe.getsockname()[0])
