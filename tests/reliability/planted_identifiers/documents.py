"""60 identifiers in encapsulated documents, waveforms and structured reports."""

import zlib

from pydicom.dataset import Dataset

from .folder import Draft, Folder
from .mint import Token
from .uids import code

GROUP = "documents"


def plant_documents(folder: Folder) -> None:
    """Plant 20 tokens in documents, 15 in electrocardiograms, 25 in structured reports."""
    for i in range(20):
        _write_document(folder, i)
    for _ in range(5):
        _write_waveform(folder)
    for _ in range(5):
        _write_structured_report(folder)


def _write_document(folder: Folder, i: int) -> None:
    """Write a PDF (plain or deflated), a letter in CDA or a model in STL with a name in it."""
    kind = ("PDF", "CDA", "STL", "PDF")[i % 4]
    draft = folder.draft(GROUP, folder.new_person(), modality=kind)
    word = folder.mint.word().capitalize()
    content = {"PDF": _pdf(word, is_deflated=i % 4 == 3), "CDA": _letter(word), "STL": _model(word)}[kind]
    draft.dataset.MIMETypeOfEncapsulatedDocument = {"PDF": "application/pdf", "CDA": "text/XML", "STL": "model/stl"}[
        kind
    ]
    draft.dataset.DocumentTitle, draft.dataset.BurnedInAnnotation = "Letter", "YES"
    draft.dataset.EncapsulatedDocument = content + b"\0" * (len(content) % 2)
    folder.plant(draft, f"(0042,0011) {kind}{', deflated' if i % 4 == 3 else ''}", Token(None, (word,)))
    folder.write(draft)


def _pdf(word: str, is_deflated: bool) -> bytes:
    text = f"BT /F1 12 Tf 72 720 Td (Dear {word}) Tj ET".encode()
    text = zlib.compress(text) if is_deflated else text
    coding = b" /Filter /FlateDecode" if is_deflated else b""
    return (
        b"%%PDF-1.4\n1 0 obj\n<</Type /Catalog /Pages 2 0 R>>\nendobj\n"
        b"2 0 obj\n<</Type /Pages /Kids [3 0 R] /Count 1>>\nendobj\n"
        b"3 0 obj\n<</Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R>>\nendobj\n"
        b"4 0 obj\n<</Length %d%b>>\nstream\n%b\nendstream\nendobj\n"
        b"trailer\n<</Root 1 0 R>>\n%%%%EOF\n" % (len(text), coding, text)
    )


def _letter(word: str) -> bytes:
    return (
        f'<?xml version="1.0"?><ClinicalDocument><patient><family>{word}</family></patient></ClinicalDocument>'.encode()
    )


def _model(word: str) -> bytes:
    return f"model of {word}".encode().ljust(80) + (0).to_bytes(4, "little")


def _write_waveform(folder: Folder) -> None:
    """Write an electrocardiogram with tokens in an annotation, a channel's label and a group's label."""
    draft = folder.draft(GROUP, folder.new_person(), modality="ECG")
    channel = Dataset()
    channel.ChannelSourceSequence = [code("5.6.3-9-1", "SCPECG", "Lead I")]
    channel.WaveformBitsStored = 16
    group = Dataset()
    group.WaveformOriginality, group.NumberOfWaveformChannels = "ORIGINAL", 1
    group.NumberOfWaveformSamples, group.SamplingFrequency = 8, 500
    group.ChannelDefinitionSequence = [channel]
    group.WaveformBitsAllocated, group.WaveformSampleInterpretation = 16, "SS"
    group.add_new(0x54001010, "OW", bytes(16))
    annotation = Dataset()
    annotation.AnnotationGroupNumber = 1
    annotation.ReferencedWaveformChannels = [1, 1]
    folder.put(draft, 0x00700006, "ST", into=annotation, depth=1)
    folder.put(draft, 0x003A0203, "SH", into=channel, depth=2)
    folder.put(draft, 0x003A0020, "SH", into=group, depth=1)
    draft.dataset.WaveformSequence, draft.dataset.WaveformAnnotationSequence = [group], [annotation]
    folder.write(draft)


def _write_structured_report(folder: Folder) -> None:
    """Write a report with five tokens in its tree: a text, a name, a date, a code and a deeper text."""
    draft = folder.draft(GROUP, folder.new_person(), modality="SR")
    dataset = draft.dataset
    dataset.ValueType, dataset.ContinuityOfContent = "CONTAINER", "SEPARATE"
    dataset.CompletionFlag, dataset.VerificationFlag = "COMPLETE", "UNVERIFIED"
    dataset.ConceptNameCodeSequence = [code("121111", "DCM", "Summary")]
    observer, finding = _item("PNAME", "121008", "Person Observer Name"), _item("CODE", "121071", "Finding")
    words, day, deep = (
        _item("TEXT", "121071", "Finding"),
        _item("DATE", "121069", "Date"),
        _item("TEXT", "121073", "Comment"),
    )
    meaning = code("99", "99LOCAL", "")
    finding.ConceptCodeSequence = [meaning]
    section = _item("CONTAINER", "121070", "Findings")
    section.ContinuityOfContent, section.ContentSequence = "SEPARATE", [deep]
    _plant_item(folder, draft, words, 0x0040A160, "UT", 1)
    _plant_item(folder, draft, observer, 0x0040A123, "PN", 1)
    _plant_item(folder, draft, day, 0x0040A121, "DA", 1)
    _plant_item(folder, draft, meaning, 0x00080104, "LO", 2)
    _plant_item(folder, draft, deep, 0x0040A160, "UT", 2)
    dataset.ContentSequence = [words, observer, day, finding, section]
    folder.write(draft)


def _item(value_type: str, value: str, meaning: str) -> Dataset:
    item = Dataset()
    item.RelationshipType, item.ValueType = "CONTAINS", value_type
    item.ConceptNameCodeSequence = [code(value, "DCM", meaning)]
    return item


def _plant_item(folder: Folder, draft: Draft, item: Dataset, tag: int, vr: str, depth: int) -> None:
    folder.put(draft, tag, vr, into=item, depth=depth)
