"""The UNet on a Triton server: the client's side, and in server/ what runs inside Triton."""
