"""Large results in pieces that fit a budget of bytes."""
