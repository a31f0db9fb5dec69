"""Files of other programs: LightBurn's material libraries, catalogues of box templates, exports of projects."""
