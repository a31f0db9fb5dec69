"""`PluginContract`: all checks in one class."""

from __future__ import annotations

from galvo.testing.budget import Budget
from galvo.testing.cancelling import Cancelling
from galvo.testing.configuring import Configuring
from galvo.testing.crashing import Crashing
from galvo.testing.declaring import Declaring
from galvo.testing.hostile import Hostile
from galvo.testing.leaks import Leaks
from galvo.testing.lifecycle import Lifecycle
from galvo.testing.passing import Passing
from galvo.testing.reloading import Reloading
from galvo.testing.starting import Starting
from galvo.testing.telling import Telling


class PluginContract(
    Declaring,
    Configuring,
    Lifecycle,
    Starting,
    Crashing,
    Reloading,
    Leaks,
    Passing,
    Cancelling,
    Hostile,
    Budget,
    Telling,
):
    """What every plugin promises. Derive a class whose name starts with `Test`, and set `plugin`.

    Every check is a `test_...` method; its docstring says what is promised. Those for hooks that the plugin does not
    have are not collected. A method of the same name in your class replaces a check, `test_... = None` takes it out.
    """
