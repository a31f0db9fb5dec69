"""What a cache costs and saves, beside other caches."""
