"""Images from modalities: who may send them, and how they are made safe before Success."""
