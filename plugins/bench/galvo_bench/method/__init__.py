"""How two things are compared, and when one of them is called faster."""
