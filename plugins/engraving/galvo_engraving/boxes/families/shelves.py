"""Boards between two sides, held by tabs: shelves, racks, steps, a tower with baffles.

Read: width, depth, height, levels, level_pitch, lip, screw, hole, holes, hole_pitch, tilt, foot, rib, pattern, text,
and the joint. Ignored: tilt of steps.
"""

from __future__ import annotations

import math

from galvo_engraving.boxes.asked import Asked
from galvo_engraving.boxes.cuboid import Cuboid
from galvo_engraving.boxes.edges import box, flat, male, tongues
from galvo_engraving.boxes.fittings import LEFT_MM, decorate, drill, grid, tabs, write
from galvo_engraving.boxes.panel import Panel, Sketch
from galvo_engraving.boxes.shapes import Contour, rectangle
from galvo_engraving.problems import Unfit


def shelf(sketch: Sketch, asked: Asked) -> None:
    """A carcass that is open in front, screwed to a wall."""
    w, d, h = asked.positive("width", 500), asked.positive("depth", 140), asked.positive("height", 200)
    t, levels = asked.thickness, max(1, asked.count("levels", 2))
    pitch, lip = asked.positive("level_pitch", h / levels), asked.length("lip")
    if (levels - 1) * pitch + t + LEFT_MM > h:
        raise Unfit(f"level_pitch: {levels} levels every {pitch:g} mm are higher than {h:g} mm")
    # It lies on its back while it is drawn: the depth is upwards.
    names = {"front": "bottom", "back": "top", "floor": "back"}
    made = Cuboid(w, h, d, names=names).panels(sketch, asked.joint)
    fingers = tongues(d, asked.joint)
    for number in range(1, levels):
        _board(sketch, asked, f"shelf {number}", w, d)
        y = number * pitch
        tabs(made["left"], fingers, asked, h - y, 0, math.pi / 2)
        tabs(made["right"], fingers, asked, y, 0, math.pi / 2)
    for number in range(1, levels + 1):
        if lip:
            rail = sketch.add(f"rail {number}", rectangle(0, 0, w + 2 * t, lip))
            if number == 1:
                write(rail, asked, w, lip)
    screw = asked.length("screw")
    for x in (w / 6, 5 * w / 6):
        drill(made["floor"], "screw", screw, x, h - screw - 2 * LEFT_MM, w, h)
    rib = asked.length("rib")
    if rib:
        for number in (1, 2):
            sketch.add(f"rib {number}", [(0, 0), (rib, 0), (0, rib)])
    for name in ("left", "right"):
        if levels == 1:
            decorate(sketch, asked, made[name], h, d)
    decorate_back(sketch, asked, made["floor"], w, h, screw)


def decorate_back(sketch: Sketch, asked: Asked, panel: Panel, w: float, h: float, screw: float) -> None:
    """Below the screws."""
    decorate(sketch, asked, panel, w, h - 2 * screw - 4 * LEFT_MM)


def steps(sketch: Sketch, asked: Asked) -> None:
    """Treads full of holes on sides like stairs."""
    w, d = asked.positive("width", 300), asked.positive("depth", 160)
    t, levels, pitch = asked.thickness, max(1, asked.count("levels", 4)), asked.positive("level_pitch", 45)
    tread = d / levels
    if tread < 10 or pitch < t + 2 * LEFT_MM + 2:
        raise Unfit(f"levels: {levels} steps of {pitch:g} mm do not fit into a depth of {d:g} mm")
    each = math.ceil(max(1, asked.count("holes", 40)) / levels)
    deep = tread - max(0.0, asked.joint.play)
    fingers = tongues(deep, asked.joint)
    end = male(deep, fingers, t)
    stairs: Contour = [(0.0, 0.0), (d, 0.0)]
    for level in range(levels, 0, -1):
        stairs += [(level * tread, level * pitch), ((level - 1) * tread, level * pitch)]
    for name in ("left", "right"):
        side = sketch.add(name, stairs)
        for level in range(levels):
            tabs(
                side, fingers, asked, level * tread, (level + 1) * pitch - LEFT_MM - t / 2 - max(0.0, asked.joint.play)
            )
    for level in range(1, levels + 1):
        board = sketch.add(f"tread {level}", box(w, deep, [flat(w), end, flat(w), end]))
        grid(sketch, board, asked, each, 0, 0, w, deep)
    for level in range(1, levels + 1):
        riser = sketch.add(f"riser {level}", rectangle(0, 0, w, pitch - t - LEFT_MM))
        if level == 1:
            write(riser, asked, w, pitch - t - LEFT_MM)
    for number in (1, 2):
        if asked.length("screw"):
            ear = asked.length("screw") + 6 * LEFT_MM
            drill(
                sketch.add(f"ear {number}", rectangle(0, 0, ear, ear)),
                "screw",
                asked.length("screw"),
                ear / 2,
                ear / 2,
                ear,
                ear,
            )


def tower(sketch: Sketch, asked: Asked) -> None:
    """Baffles between both sides lean by turns to the front and to the back; a tray catches what falls."""
    w, d, h = asked.positive("width", 80), asked.positive("depth", 80), asked.positive("height", 200)
    t, levels, tilt = asked.thickness, max(1, asked.count("levels", 3)), math.radians(asked.length("tilt", 40))
    made = Cuboid(w, d, h).panels(sketch, asked.joint)
    along = min(0.6 * d / math.cos(tilt), 0.8 * h / levels / max(0.05, math.sin(tilt)))
    room_ = h / levels
    if along < 10 or along * math.sin(tilt) + 2 * t > room_ or along * math.cos(tilt) + t > d:
        raise Unfit(f"tilt: {levels} baffles that lean so much do not fit into {d:g} by {h:g} mm")
    fingers = tongues(along, asked.joint)
    for level in range(levels):
        _board(sketch, asked, f"baffle {level + 1}", w, along)
        low = level * room_ + t
        if level % 2 == 0:  # down to the front
            tabs(made["right"], fingers, asked, 2 + t, low, tilt)
            tabs(made["left"], fingers, asked, d - 2 - t, low, math.pi - tilt)
        else:
            tabs(made["right"], fingers, asked, d - 2 - t, low, math.pi - tilt)
            tabs(made["left"], fingers, asked, 2 + t, low, tilt)
    mouth_w, mouth_h = w - 4 * LEFT_MM, min(h / 3, room_ * 0.8)
    made["front"].holes.append(rectangle(2 * LEFT_MM, LEFT_MM, mouth_w, mouth_h))
    decorate(sketch, asked, made["back"], w, h)
    foot, lip = asked.positive("foot", 90), asked.length("lip", 20)
    if lip:
        Cuboid(w, foot, max(lip, 3.0), prefix="tray ").panels(sketch, asked.joint)


def _board(sketch: Sketch, asked: Asked, name: str, w: float, d: float) -> Panel:
    end = male(d, tongues(d, asked.joint), asked.thickness)
    return sketch.add(name, box(w, d, [flat(w), end, flat(w), end]))
