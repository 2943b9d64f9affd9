"""Exporters: BS-Net's Keras weights become an ONNX network, and the network a bundle."""
