"""`PluginContract`: all checks in one class."""

from __future__ import annotations

from galvo.testing.declaring import Declaring
from galvo.testing.lifecycle import Lifecycle


class PluginContract(Declaring, Lifecycle):
    """What every plugin promises. Derive a class whose name starts with `Test`, and set `plugin`.

    Every check is a `test_...` method; its docstring says what is promised. Those for hooks that the plugin does not
    have are not collected. A method of the same name in your class replaces a check, `test_... = None` takes it out.
    """
