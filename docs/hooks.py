"""What mkdocs asks while it builds: the pages that are made, and what fills gaps in written ones.

`plugins/*/README.md` become pages, without a copy of their text in this folder. A line `<!-- made: NAME -->` is
replaced by what `making/NAME.py` says: so these lists are those of the code.
"""

from __future__ import annotations

import re
from pathlib import Path

from making import manuals
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parent.parent
MADE = re.compile(r"^<!-- made: (\w+) -->$", re.M)
BLOCKS = re.compile(r"^ *<!-- blocks: .* -->\n", re.M)
"""How tests run the block below: of no interest to who reads."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the plugins' manuals."""
    for place, text in manuals.pages(ROOT):
        files.append(File.generated(config, place, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Fill the gaps."""
    return MADE.sub(lambda match: made(match[1]), BLOCKS.sub("", markdown))


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """A cell that heads nothing is no heading."""
    return html.replace("<th></th>", "<td></td>")


def made(name: str) -> str:
    """What `making/NAME.py` says."""
    from making import apichanges, commands, hooktable, keys, metrics, onion

    makers = {
        "apichanges": apichanges, "commands": commands, "hooktable": hooktable, "keys": keys, "metrics": metrics,
        "onion": onion,
    }  # fmt: skip
    return str(makers[name].markdown())
