"""What plugins read out of a statement, and what may be shown of it."""

from galvo_sql.length import parsable
from galvo_sql.redaction import HIDDEN, redacted
from galvo_sql.tree import parsed, strings, walk

__all__ = ["HIDDEN", "parsable", "parsed", "redacted", "strings", "walk"]
