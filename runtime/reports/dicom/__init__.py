"""A score answered in DICOM: structured report and Secondary Capture, in the radiograph's study."""
