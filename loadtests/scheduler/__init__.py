"""`make bench-scheduler`: the row batcher and the denoiser loop over a UNet stand-in, in virtual time."""
