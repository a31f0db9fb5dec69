"""Who uses the shop: accounts, signing in, and what a visitor may see."""
