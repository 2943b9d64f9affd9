"""Evidence against radiologists: `brixia-edge evaluate`."""
