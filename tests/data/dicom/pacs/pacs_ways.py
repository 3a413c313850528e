"""Made-up exams, and the ways to get at them in a PACS."""

from dataclasses import dataclass

from lucency.domain.data_plan import Pacs
from orthanc import Orthanc
from planted_exams import PlantedSeries

PLANTED = (
    PlantedSeries(1, 1, "P1", accession="A1", date="20200101"),
    PlantedSeries(1, 2, "P1", accession="A1", date="20200101", description="Soft tissue 5.0", n_instances=5),
    PlantedSeries(2, 1, "P1", accession="A2", date="20210615", exam_description="CT Abdomen", body_part="ABDOMEN"),
    PlantedSeries(
        3, 1, "P2", accession="A3", date="20210616", modality="DX", exam_description="Chest PA", n_instances=1
    ),
    PlantedSeries(4, 1, "P3", accession="A4", date="20211231", description="lung [thin]", body_part=""),
    PlantedSeries(5, 1, "P*", accession="A5", date="", description=""),
    PlantedSeries(6, 1, "Müller 7", accession="A6", date="20220101", exam_description="CT THORAX"),
)
"""Seven series of six exams of five patients; two patients have numbers that a query could take for a pattern."""


@dataclass(frozen=True)
class Way:
    """One way to get at the images of the PACS."""

    address: str
    settings: dict[str, object]

    def query(self, **filters: object) -> Pacs:
        """Return what a plan would say."""
        return Pacs.model_validate(self.settings | filters)


def way_to(server: Orthanc, name: str) -> Way:
    """Return a way by its name."""
    if name == "dicomweb":
        return Way(server.dicomweb, {"timeout_seconds": 10})
    return Way(server.dimse, {"timeout_seconds": 10, "retrieve": name, "receiver_port": server.receiver_port})


WAYS = ("dicomweb", "get", "move")
