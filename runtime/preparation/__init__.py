"""A radiograph becomes the network's input, as the bundle's recipe says."""
