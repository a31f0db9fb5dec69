"""Child processes that run one call after the other, each under its own limit.

`anyio.to_process` would be the library for this, and falls short in three points: cancelled while it starts a worker,
it leaves that one behind; it does not say what a dead worker died of; it keeps a worker however large that has become.
`ProcessPoolExecutor` cannot stop a call at all. So: `subprocess` and the standard library's `Connection`, no more.

This package is all that a child imports of galvo, so it has to stay small.
"""
