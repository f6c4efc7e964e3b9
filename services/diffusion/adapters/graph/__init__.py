"""A model's UNet as one ONNX graph that takes adapters and identity as inputs: export, cache, sidecar."""
