"""`galvo new`: a complete plugin of one's own, from the templates beside this file."""

from galvo.scaffold.naming import Names, named
from galvo.scaffold.rendering import rendered
from galvo.scaffold.writing import written

__all__ = ["Names", "named", "rendered", "written"]
