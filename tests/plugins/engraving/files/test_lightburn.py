"""LightBurn's libraries: what is read, what is refused, and that what is written is read as the same."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from galvo_engraving.files import lightburn
from galvo_engraving.files.library import BadFile, Cut, Library
from galvo_engraving.files.writing import write
from tests.plugins.engraving.files.clb import WOOD, library
from tests.thorough import THOROUGH

OK = '<speed Value="10"/><maxPower Value="50"/>'


def test_a_library_is_read_with_lightburns_defaults() -> None:
    found = lightburn.read(WOOD.encode())
    assert found.name == "Workshop 60W"
    cut, score, dark, light = found.materials["Walnut & maple"]
    assert cut == Cut(Decimal("3.00"), "cut", 10.0, 84.0, 2, None, 0.14, None, "Cut")
    assert score == Cut(Decimal("3.18"), "score", 200.0, 12.5, 1, None, None, False, "Fold lines")
    assert dark == Cut(None, "engrave", 1000.0, 18.0, 1, 0.0635, None, None, "Dark")
    assert (light.operation, light.interval) == ("engrave", 0.1)  # 254 dots per inch


@pytest.mark.parametrize("kerf", ["1e-60", "-1e-60", "0", "-0", "1e-9999999", "0.00002"])
def test_a_kerf_next_to_nothing_is_none(kerf: str) -> None:
    (cut,) = lightburn.read(library(OK + f'<kerf Value="{kerf}"/>').encode()).materials["Oak"]
    assert cut.kerf is None


ENTRY = '<Entry Thickness="{}" Desc="{}" NoThickTitle="{}"><CutSetting type="{}">{}</CutSetting></Entry>'


def several(*entries: str) -> Library:
    inside = "".join(entries)
    text = f'<LightBurnLibrary DisplayName="x"><Material name="Slate">{inside}</Material></LightBurnLibrary>'
    return lightburn.read(text.encode())


def test_an_entry_of_no_use_is_told_and_the_others_are_read() -> None:
    found = several(
        ENTRY.format("3", "Frame", "", "Tool", ""),
        ENTRY.format("3", "Off", "", "Cut", OK.replace("50", "0.0")),
        ENTRY.format("3", "Fill", "", "Offset", OK),
        ENTRY.format("0.0000", "Any", "", "Scan", OK),
    )
    assert [(cut.operation, cut.thickness) for cut in found.materials["Slate"]] == [
        ("engrave", Decimal("3.00")),
        ("engrave", None),
    ]
    assert [(one.kind, one.title, one.why[:44]) for one in found.unused] == [
        ("Tool", "Frame", "entry 1: CutSetting type 'Tool' does not burn"[:44]),
        ("Cut", "Off", "entry 2: with maxPower 0 nothing burns"),
    ]
    only = several(ENTRY.format("3", "Frame", "", "Tool", ""))
    assert (only.materials, len(only.unused)) == ({}, 1)


def test_groups_without_a_thickness_are_materials_of_their_own() -> None:
    found = several(
        ENTRY.format("-1.0000", "Engrave", "Acrylic", "Scan", OK),
        ENTRY.format("-1.0000", "Engrave", "Bamboo", "Scan", OK),
        ENTRY.format("3", "Cut", "", "Cut", OK),
    )
    assert {name: len(cuts) for name, cuts in found.materials.items()} == {
        "Slate, Acrylic": 1,
        "Slate, Bamboo": 1,
        "Slate": 1,
    }
    with pytest.raises(BadFile, match="more than 200 characters"):
        several(*(ENTRY.format("-1", "x", letter * 198, "Scan", OK) for letter in "ab"))


@pytest.mark.parametrize(
    "title, operation",
    [
        ("Bookmark", "cut"), ("Hallmark cut", "cut"), ("Cut, then mark", "cut"), ("Scoreboard", "cut"), ("", "cut"),
        ("Mark", "score"), ("fold lines", "score"), ("Engrave", "score"), ("Relief 2", "score"), ("score_2", "score"),
    ],
)  # fmt: skip
def test_whole_words_of_a_title_tell_a_score_from_a_cut(title: str, operation: str) -> None:
    (cut,) = several(ENTRY.format("3", title, "", "Cut", OK)).materials["Slate"]
    assert cut.operation == operation


PLACE = "material 'Oak', entry 1 ('Cut'): "
REFUSED = [
    ("", "line 1, column 1: this is no XML"),
    ("<LightBurnLibrary>", "line 1, column 19: this is no XML"),
    ("<LightBurnProject/>", "this is no library of LightBurn's: it begins with <LightBurnProject>"),
    ("<LightBurnLibrary/>", "there is no material in it"),
    (library(name=""), "material 1 has no name"),
    (library(name="a" * 201), "Material: name has more than 200 characters"),
    (
        library().replace("</LightBurnLibrary>", '<Material name="OAK"/></LightBurnLibrary>'),
        "material 'OAK' is there tw",
    ),
    (library(entry='Desc="Cut"'), PLACE + "Thickness is missing; -1 means none"),
    (library(entry='Thickness="-3" Desc="Cut"'), PLACE + "Thickness '-3' is not from 0.01 to 999.99 mm"),
    (library(entry='Thickness="0.004" Desc="Cut"'), PLACE + "Thickness '0.004' is not from 0.01 to 999.99 mm"),
    (library(entry='Thickness="1e30" Desc="Cut"'), PLACE + "Thickness '1e30' is not from"),
    (
        library(entry='Thickness="3mm" Desc="Cut"'),
        PLACE + "Thickness '3mm' is no number: it is written like 12.5, in mm",
    ),
    (library(entry='Thickness="NaN" Desc="Cut"'), PLACE + "Thickness 'NaN' is no number"),
    (
        library(entry='Thickness="1e99999999999999999999" Desc="Cut"'),
        PLACE + "Thickness '1e99999999999999999999' is no",
    ),
    (library('<maxPower Value="50"/>'), PLACE + "speed is missing"),
    (library('<speed Value="10"/>'), PLACE + "maxPower is missing"),
    (library(OK.replace("10", "0")), PLACE + "speed '0' is not more than 0 and at most 100000 mm/s"),
    (
        library(OK.replace("10", "600 mm/min")),
        PLACE + "speed '600 mm/min' is no number: it is written like 12.5, in mm/s",
    ),
    (library(OK.replace("10", "1,5")), PLACE + "speed '1,5' is no number"),
    (library(OK.replace("50", "101")), PLACE + "maxPower '101' is not more than 0 and at most 100 per cent"),
    (library(OK.replace("50", "-5")), PLACE + "maxPower '-5' is not more than 0"),
    (library(OK + '<numPasses Value="1.5"/>'), PLACE + "numPasses '1.5' is no whole number up to 32767"),
    (library(OK + '<numPasses Value="-1"/>'), PLACE + "numPasses '-1' is no whole number"),
    (library(OK + '<kerf Value="6"/>'), PLACE + "kerf '6' is wider than any beam"),
    (library(OK + '<runBlower Value="yes"/>'), PLACE + "runBlower 'yes' is neither 0 nor 1"),
    (library(OK + '<dpi Value="2"/>', kind="Scan"), PLACE + "dpi '2' leaves more than 10 mm between two lines"),
    (library(OK + '<interval Value="0.00004"/>', kind="Scan"), PLACE + "interval '0.00004' is not more than 0"),
    (library(OK + '<interval Value="0"/>', kind="Scan"), PLACE + "interval '0' is not more than 0"),
    (library().replace("CutSetting", "Setting"), PLACE + "it has no CutSetting"),
    ("<LightBurnLibrary>" + "<a>" * 50 + "</a>" * 50 + "</LightBurnLibrary>", "elements are nested more than 12 deep"),
    ("<LightBurnLibrary>" + "<a/>" * 500_000 + "</LightBurnLibrary>", "more than 400000 elements"),
    ('<?xml version="1.0" encoding="klingon"?><a/>', "its encoding is not known"),
]


@pytest.mark.parametrize("text, sentence", REFUSED, ids=[sentence[:40] for _, sentence in REFUSED])
def test_what_cannot_be_is_refused_with_its_place(text: str, sentence: str) -> None:
    with pytest.raises(BadFile) as found:
        lightburn.read(text.encode())
    assert str(found.value).startswith(sentence)
    assert "\n" not in str(found.value)


LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><LightBurnLibrary DisplayName="&b;"/>'
OUTSIDE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><LightBurnLibrary>&a;</LightBurnLibrary>'


@pytest.mark.parametrize("bomb", [LAUGHS, OUTSIDE, '<!DOCTYPE x SYSTEM "http://localhost/x.dtd"><LightBurnLibrary/>'])
def test_bombs_do_not_go_off(bomb: str) -> None:
    with pytest.raises(BadFile, match="DTD or entities"):
        lightburn.read(bomb.encode())


def test_other_encodings_are_read() -> None:
    text = '<?xml version="1.0" encoding="UTF-16"?>' + library(name="Ölweide")
    assert list(lightburn.read(text.encode("utf-16")).materials) == ["Ölweide"]


WORDS = st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=20)
NUMBER = st.floats(0.01, 99, allow_nan=False).map(lambda value: float(f"{value:.6g}"))
THICKNESS = st.none() | st.decimals("0.01", "999.99", places=2)


@st.composite
def cuts(draw: st.DrawFn) -> Cut:
    operation = draw(st.sampled_from(["cut", "score", "engrave"]))
    return Cut(
        draw(THICKNESS),
        operation,
        draw(NUMBER),
        draw(NUMBER),
        draw(st.integers(1, 5000)),
        draw(st.floats(0.01, 9).map(lambda value: float(f"{value:.6g}"))) if operation == "engrave" else None,
        draw(st.none() | st.integers(1, 400).map(lambda value: value / 100)) if operation == "cut" else None,
        draw(st.none() | st.booleans()),
        {"cut": "through", "score": "Score", "engrave": draw(WORDS)}[operation],
    )


@given(st.dictionaries(WORDS, st.lists(cuts(), min_size=1, max_size=4), min_size=1, max_size=4))
@settings(max_examples=1000 if THOROUGH else 50, deadline=None)
def test_what_is_written_is_read_as_the_same(materials: dict[str, list[Cut]]) -> None:
    if len({name.casefold() for name in materials}) < len(materials):
        return
    written = Library("a <shop> & 'sons'", materials)
    assert lightburn.read(write(written)) == Library(written.name, dict(sorted(materials.items())))


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode) | st.just(WOOD.encode()).flatmap(
    lambda whole: st.integers(0, len(whole)).map(lambda end: whole[:end])))  # fmt: skip
@settings(max_examples=2000 if THOROUGH else 100, deadline=None)
def test_no_file_breaks_the_reader(contents: bytes) -> None:
    with suppress(BadFile):
        lightburn.read(contents)


def test_a_name_that_xml_cannot_hold_is_written_all_the_same() -> None:
    cut = Cut(Decimal(3), "cut", 10, 50, 1, None, None, True, "Cut")
    found = lightburn.read(write(Library("a\uffff", {"b\x00\ufffe \U0001f600\ud800": [cut]})))
    assert (found.name, list(found.materials)) == ("a\ufffd", ["b\ufffd\ufffd \U0001f600\ufffd"])
