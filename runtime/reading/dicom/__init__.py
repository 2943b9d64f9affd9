"""DICOM files become a radiograph: CR, DX for presentation, and Secondary Captures of them."""
