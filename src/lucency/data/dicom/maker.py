"""Who made the objects that lucency writes, as DICOM's equipment module wants it."""

from lucency import __version__

MAKER = {
    "manufacturer": "lucency",
    "manufacturer_model_name": "lucency",
    "software_versions": __version__,
    "device_serial_number": "0",
}
