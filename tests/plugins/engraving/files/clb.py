"""Libraries in the form that LightBurn 1.x saves."""

from __future__ import annotations

WOOD = """<?xml version="1.0" encoding="UTF-8"?>
<LightBurnLibrary DisplayName="Workshop 60W">
    <Material name="Walnut &amp; maple">
        <Entry Thickness="3.0000" Desc="Cut">
            <CutSetting type="Cut">
                <index Value="0"/>
                <name Value=""/>
                <LinkPath Value="Walnut &amp; maple/3.0000/Cut"/>
                <minPower Value="38"/>
                <maxPower Value="84"/>
                <maxPower2 Value="20"/>
                <speed Value="10"/>
                <kerf Value="0.07"/>
                <numPasses Value="2"/>
                <interval Value="0.04"/>
                <priority Value="0"/>
                <tabCount Value="1"/>
            </CutSetting>
        </Entry>
        <Entry Thickness="3.175" Desc="Fold lines">
            <CutSetting type="Cut">
                <maxPower Value="12.5"/>
                <speed Value="200"/>
                <runBlower Value="0"/>
            </CutSetting>
        </Entry>
        <Entry Thickness="-1.0000" Desc="Dark" NoThickTitle="Photo">
            <CutSetting type="Scan">
                <maxPower Value="18"/>
                <speed Value="1000"/>
                <interval Value="0.0635"/>
                <SubLayer type="Scan" index="1"><maxPower Value="30"/></SubLayer>
            </CutSetting>
        </Entry>
        <Entry Thickness="-1.0000" Desc="Light" NoThickTitle="Photo">
            <CutSetting type="Image">
                <maxPower Value="9"/>
                <speed Value="2000"/>
                <dpi Value="254"/>
            </CutSetting>
        </Entry>
    </Material>
</LightBurnLibrary>
"""


def library(setting: str = "", *, entry: str = 'Thickness="3" Desc="Cut"', kind: str = "Cut", name: str = "Oak") -> str:
    """One material with one entry; `setting` replaces its values."""
    setting = setting or '<speed Value="10"/><maxPower Value="50"/>'
    inside = f'<Entry {entry}><CutSetting type="{kind}">{setting}</CutSetting></Entry>'
    return f'<LightBurnLibrary DisplayName="x"><Material name="{name}">{inside}</Material></LightBurnLibrary>'
