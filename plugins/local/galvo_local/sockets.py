"""What both ends agree on: one question, one answer, in bytes; then the connection is closed."""

from __future__ import annotations

import socket
import struct

LARGEST_QUESTION = 4096
"""Bytes."""
LARGEST_ANSWER = 1 << 20


def prefix(name: str) -> str:
    """Of the socket's name in the abstract namespace, behind which come the process id and something random."""
    return f"galvo-{name}-"


def peer(connection: socket.socket) -> tuple[int, int]:
    """Process and user of the other end, by the kernel's word (SO_PEERCRED, unix(7))."""
    pid, uid, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return pid, uid
