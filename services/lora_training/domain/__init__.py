"""Facts and rules of LoRA training; imports no model library and no gRPC."""
