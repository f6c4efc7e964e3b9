"""The model factory: renders portraits, trains small models on them, evaluates and packs them."""
