"""The geometry of boxes: panels with finger joints, as SVG."""
