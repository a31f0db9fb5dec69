"""Large images in little memory: the header decides before any pixel is decoded."""
