"""Reading rendered portraits: manifests, captions, pixels and cached latents."""
