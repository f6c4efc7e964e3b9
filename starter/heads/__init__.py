"""3D-character heads: random adult characters, drawn headless with exact ground truth.

identity = sample_identity(np.random.default_rng(1))
view = sample_view(np.random.default_rng(2), identity)
head = build_head(identity, view)
picture = Renderer(size_px=256).draw(identity, view, head, paint(identity), "toon")
"""
