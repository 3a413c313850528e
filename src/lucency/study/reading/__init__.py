"""The task of report labelling: networks that read radiology reports."""
