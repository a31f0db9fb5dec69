"""The laser-engraving backend: the first host application of galvo, its data and its demo."""
