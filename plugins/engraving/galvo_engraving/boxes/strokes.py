"""Letters made of single lines, which lasers score; SVG's own text is not read by their software."""

from __future__ import annotations

import unicodedata

from galvo_engraving.boxes.shapes import Contour

HEIGHT, ADVANCE = 6, 6
WIDTH = ADVANCE - 2
MOST = 60
"""Letters of a name that are engraved."""
# Strokes apart by spaces; points as x and y, one digit each, on a grid of 4 by 6.
GLYPHS = {
    "A": "002640 1333",
    "B": "00063645343303 3342413000",
    "C": "4536160501103041",
    "D": "00062644422000",
    "E": "46060040 0333",
    "F": "460600 0333",
    "G": "45361605011030414323",
    "H": "0006 4046 0343",
    "I": "2026 1636 1030",
    "J": "464130100102",
    "K": "0006 4603 1440",
    "L": "060040",
    "M": "0006234640",
    "N": "00064046",
    "O": "103041453616050110",
    "P": "00063645443303",
    "Q": "103041453616050110 2240",
    "R": "00063645443303 2340",
    "S": "4536160504134241301001",
    "T": "2026 0646",
    "U": "060110304146",
    "V": "062046",
    "W": "0610233046",
    "X": "0046 0640",
    "Y": "062346 2320",
    "Z": "06460040",
    "0": "103041453616050110 0145",
    "1": "152620 1030",
    "2": "05163645440040",
    "3": "0516364544334241301001 1333",
    "4": "30360242",
    "5": "4606031333424130100001",
    "6": "45361605011030414233130302",
    "7": "064610",
    "8": "133344453616050413 1302011030414233",
    "9": "011030414536160504133344",
    "-": "1333",
    ".": "2021",
    ",": "2110",
    "'": "2625",
    "/": "0046",
    "&": "400516363401103042",
}


def lines(text: str, height: float) -> list[Contour]:
    """Strokes, `height` mm high, from (0, 0); what has no letter here is left out."""
    scale = height / HEIGHT
    plain = unicodedata.normalize("NFKD", text[:MOST]).upper().replace("\u1e9e", "SS")
    found: list[Contour] = []
    at = 0
    for letter in plain:
        if letter != " " and letter not in GLYPHS:
            continue
        for stroke in GLYPHS.get(letter, "").split():
            points = zip(map(int, stroke[::2]), map(int, stroke[1::2]), strict=True)
            found.append([((at + x) * scale, y * scale) for x, y in points])
        at += ADVANCE
    return found


def width(strokes: list[Contour]) -> float:
    return max((x for stroke in strokes for x, _ in stroke), default=0.0)
